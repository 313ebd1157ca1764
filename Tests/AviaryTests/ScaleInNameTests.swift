import Testing

@testable import Aviary

/// The scale that a file's name states.
@Suite struct ScaleInNameTests {
  @Test(arguments: [
    ("FSRCNN-x4.pt", 4), ("4x_foolhardy.pth", 4), ("espcn_x3.pth", 3), ("2X-AnimeSharp.pth", 2),
    ("model.x2.safetensors", 2), ("x4/x4_x4.pth", 4),
  ])
  func isFound(_ name: String, _ scale: Int) {
    #expect(ScaleInName(name)?.scale == scale)
  }

  @Test(arguments: ["fsrcnn.pt", "fx4.pt", "x2_x4.pth", "dncnn_25.pth", "x9.pt", "2xy.pt", "xx.pt"])
  func isNotGuessed(_ name: String) {
    #expect(ScaleInName(name) == nil)
  }
}
