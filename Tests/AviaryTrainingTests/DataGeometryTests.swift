import Aviary
import AviaryGraph
import Testing

@testable import AviaryTraining

/// Patches of every architecture, and those that there are not.
@Suite struct DataGeometryTests {
  @Test(arguments: [
    ("plain-cae", 2, 48, 48), ("residual-cae", 2, 48, 48), ("fusion-cae", 2, 48, 96),
    ("srcnn", 3, 33, 33), ("vdsr", 4, 41, 41), ("espcn", 3, 17, 51), ("fsrcnn", 2, 10, 20),
  ])
  func outputs(_ name: String, _ scale: Int, _ patch: Int, _ output: Int) throws {
    let network = try Registry.builtin[name].network()
    let geometry = try PatchGeometry(
      network.graph, picture: network.picture, scale: scale, patch: patch)
    #expect(geometry.outputHeight == output)
    #expect(geometry.outputWidth == output)
    #expect(geometry.lead == (0, 0))
    #expect(geometry.minimumSide == (output + scale - 1) / scale * scale)
  }

  @Test func withoutPadding() throws {
    let network = try Registry.builtin["srcnn"].network(["padding": "valid"])
    let geometry = try PatchGeometry(
      network.graph, picture: network.picture, scale: 2, patch: 33)
    #expect(geometry.outputHeight == 17)
    #expect(geometry.lead == (8, 8))
    #expect(geometry.excess == 0)
    #expect(geometry.places(along: 33) == 1)
    #expect(geometry.places(along: 32) == 0)
  }

  /// An output with a pixel more than the scale says reaches beyond the target.
  @Test func outputsTooLarge() throws {
    let graph = try Graph(channels: 1) { x in
      [x.transposedConvolution("a", 1, kernel: 3, stride: 2, padding: PaddingAmounts(0, 0, 0, 0))]
    }
    let geometry = try PatchGeometry(graph, picture: ImageSpec(.luma), scale: 2, patch: 8)
    #expect(geometry.outputHeight == 17)
    #expect(geometry.excess == 1)
    // One pixel on either side must be there, at places of the input.
    #expect(geometry.first == 1)
    #expect(geometry.minimumSide == 20)
    #expect(geometry.places(along: 20) == 1)
    #expect(geometry.places(along: 18) == 0)
  }

  @Test(arguments: [
    ("fusion-cae", 3, 48, "scale: expected 2 (the network's own), found 3"),
    ("fusion-cae", 0, 48, "scale: expected 1 to 64, found 0"),
    ("residual-cae", 2, 47, "batch.patch: expected a multiple of 2, found 47"),
  ])
  func refused(_ name: String, _ scale: Int, _ patch: Int, _ message: String) throws {
    let network = try Registry.builtin[name].network()
    #expect {
      try PatchGeometry(network.graph, picture: network.picture, scale: scale, patch: patch)
    } throws: { "\($0)" == message }
  }

  @Test func coloursThatDoNotFit() throws {
    let graph = try DataFixture.graph()
    #expect {
      try PatchGeometry(graph, picture: ImageSpec(.luma), scale: 1, patch: 8)
    } throws: { "\($0)" == "image: expected colours of 3 channels, found 'luma'" }
  }

  @Test func patchesThatTheNetworkCannotWorkOn() throws {
    let graph = try DataFixture.graph(padding: .valid)
    #expect {
      try PatchGeometry(graph, picture: ImageSpec(.rgb), scale: 1, patch: 2)
    } throws: {
      "\($0)".hasPrefix("batch.patch: expected a side that the network can work on, found 2 (")
    }
  }
}
