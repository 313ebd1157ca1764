import Aviary
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import Testing

/// A network that sees the whole image is computed whole where the memory allows it; else in tiles, and
/// it is said by how much these differ.
@Suite struct ApproximateTilesTests {
  private static let memory = 8 << 20

  /// Channel attention, whose weights the whole image decides.
  private func model() throws -> Model {
    try Models.random(
      "rcan",
      [
        "scale": 2, "features": 8, "groups": 1, "blocks": 1, "squeezed": 4, "names": "plain",
        "range": 1,
      ], seed: 3)
  }

  private func upscaler(memory: Int, exact: Bool = false) throws -> Upscaler {
    try Upscaler(
      model(), options: UpscalerOptions(threads: 1, memory: memory, exact: exact))
  }

  /// The numbers of 255 in a warning: the largest difference and the mean one.
  private func numbers(_ warning: String) throws -> (largest: Double, mean: Double) {
    let found = try #require(
      warning.firstMatch(of: /the whole by ([0-9.]+) of 255 at most, ([0-9.]+) on average/))
    return (try #require(Double(found.output.1)), try #require(Double(found.output.2)))
  }

  @Test func isSaidAndMeasured() throws {
    let folder = try TemporaryFolder()
    // Dark on the left, bright on the right: what a tile sees is not what the image is on average.
    var image = Models.picture(height: 260, width: 420, .rgb)
    for channel in 0..<3 {
      for row in 0..<260 {
        for column in 0..<420 { image[channel, row, column] *= Float(column) / 420 }
      }
    }
    try image.write(to: folder.file("in.png"))
    let (input, output) = (folder.file("in.png"), folder.file("out.png"))
    let whole = try upscaler(memory: 1 << 30).enlarge(from: input, to: output)
    #expect(whole.tiles == 1 && whole.warnings.isEmpty)
    let expected = try Image(contentsOf: output)
    let tiled = try upscaler(memory: Self.memory).enlarge(from: input, to: output)
    #expect(tiled.tiles > 1)
    #expect(tiled.arenaBytes <= Self.memory)
    let warning = try #require(tiled.warnings.first)
    #expect(tiled.warnings.count == 1)
    #expect(warning.contains("tiles are an approximation"), "\(warning)")
    #expect(warning.contains("global average pooling takes the whole image"), "\(warning)")
    let (largest, mean) = try numbers(warning)
    #expect(largest > 0 && mean > 0 && mean <= largest, "\(warning)")
    let found = try Image(contentsOf: output)
    #expect(found.width == 840 && found.height == 520)
    let difference = try found.largestDifference(from: expected)
    #expect(difference > 0)
    // Where the image is much alike everywhere, so is what tiles make of it.
    #expect(difference < 0.5)
  }

  /// Who asks for exact results gets them, or an error; so do those who compute images in memory.
  @Test func exactMeansExact() throws {
    let folder = try TemporaryFolder()
    let image = Models.picture(height: 260, width: 420, .rgb)
    try image.write(to: folder.file("in.png"))
    for exact in [true, false] {
      let error = #expect(throws: AviaryError.self) {
        if exact {
          _ = try upscaler(memory: Self.memory, exact: true).enlarge(
            from: folder.file("in.png"), to: folder.file("out.png"))
        } else {
          _ = try upscaler(memory: Self.memory).enlarge(image)
        }
      }
      guard case .memory(let needed, let allowed, let reason)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(needed > allowed && allowed == Self.memory)
      #expect(reason.contains("takes the whole image"))
    }
  }

  /// Tiles that give what the whole gives need no words.
  @Test func exactTilesSayNothing() throws {
    let folder = try TemporaryFolder()
    try Models.picture(height: 260, width: 420, .rgb).write(to: folder.file("in.png"))
    let model = try Models.random("residual-cae", ["features": [6, 8]], seed: 1)
    let report = try Upscaler(
      model, scale: 1, options: UpscalerOptions(threads: 1, memory: Self.memory)
    ).enlarge(from: folder.file("in.png"), to: folder.file("out.png"))
    #expect(report.tiles > 1 && report.warnings.isEmpty)
  }
}
