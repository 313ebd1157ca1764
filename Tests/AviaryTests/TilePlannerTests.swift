@testable import Aviary
import AviaryCompute
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import Testing

/// Into which parts an image is divided.
@Suite struct TilePlannerTests {
  private static let small: JSON = ["features": [6, 8]]

  /// A choice for an image each pixel of whose result takes 18 bytes more.
  private func choice(
    _ name: String, _ configuration: JSON, rows: Int, columns: Int, _ options: UpscalerOptions
  ) throws -> TileSize {
    let model = try Models.random(name, configuration, seed: 3)
    let context = try InferenceContext(model, options)
    let rule = model.graph.sizeRule()
    let (rows, columns) = (
      rows / rule.multiple * rule.multiple, columns / rule.multiple * rule.multiple
    )
    let graph = try model.graph.resolvingPadding(height: rows, width: columns)
    let choice = TilePlanner(
      graph: graph, output: 0, ratio: rule.scale?.value ?? 1, rows: rows, columns: columns, runs: 1,
      resultBytes: 18,
      policy: .exact, context: context)
    return try choice.plan(model.graph.tiling(height: rows, width: columns)).size
  }

  @Test func aSmallImageIsWholeAndNothingIsTimed() throws {
    let tuning = Tuning(.always)
    let options = UpscalerOptions(threads: 1, memory: 1 << 29, tuning: tuning)
    let size = try choice(
      "residual-cae", TilePlannerTests.small, rows: 256, columns: 256, options)
    #expect(size.height == 256 && size.width == 256)
    #expect(tuning.timingCount == 0)
  }

  @Test(arguments: [8, 32, 128])
  func aLargeImageIsDividedSoThatItFits(megabytes: Int) throws {
    let memory = megabytes << 20
    let size = try choice(
      "residual-cae", TilePlannerTests.small, rows: 3000, columns: 4000,
      UpscalerOptions(threads: 1, memory: memory)
    )
    #expect(size.bytes <= memory)
    #expect(size.height * size.width < 3000 * 4000)
    #expect(size.height > 2 * size.overlap && size.width > 2 * size.overlap)
  }

  /// What the engine measured decides, and is asked for once.
  @Test func theEngineIsAsked() throws {
    let tuning = Tuning(.always)
    let options = UpscalerOptions(threads: 1, memory: 1 << 26, tuning: tuning)
    let configuration: JSON = ["filters": [2, 1]]
    let size = try choice("srcnn", configuration, rows: 400, columns: 500, options)
    let timings = tuning.timingCount
    #expect(timings > 0)
    let again = try choice("srcnn", configuration, rows: 400, columns: 500, options)
    #expect(again == size)
    #expect(tuning.timingCount == timings)
  }

  /// A network that hardly computes anything, of which tiles do not overlap.
  @Test(arguments: [false, true]) func aResizeIsNotCutIntoPixels(isTimed: Bool) throws {
    let size = try choice(
      "nearest", ["scale": 3], rows: 800, columns: 1200,
      UpscalerOptions(threads: 1, memory: 1 << 29, tuning: isTimed ? Tuning(.always) : nil))
    #expect(size.height * size.width >= 800 * 1200 / 100)
  }

  /// Bands as wide as the image are part of the memory, however wide that is.
  @Test(arguments: [20_000, 100_000])
  func aVeryWideImageHasLowBands(columns: Int) throws {
    let memory = 512 << 20
    let size = try choice(
      "espcn", ["features": [6, 4], "scale": 4], rows: 100, columns: columns,
      UpscalerOptions(threads: 1, memory: memory)
    )
    #expect(size.bytes <= memory)
    // A plane of the image, twice, and of its result, beside 18 bytes for each of its pixels.
    let row = columns * (4 * 2 + (4 + 18) * 16)
    #expect(size.height * row <= memory)
  }

  @Test func candidatesCountWhatOverlaps() {
    let candidates = TileCandidates(
      rows: 100, columns: 100, overlap: 4, multiple: 1, wanted: nil)
    let whole = TileCandidates.Size(height: 100, width: 100)
    #expect(candidates.sizes.first == whole)
    #expect(candidates.count(whole) == 1)
    // Of 32 pixels 8 are spoilt where there are neighbours: 28, 24, 24 and 24 kept.
    let tile = TileCandidates.Size(height: 32, width: 32)
    #expect(candidates.count(tile) == 16)
    #expect(candidates.pixels(tile) == 16 * 32 * 32)
    let pixels = candidates.sizes.map { candidates.pixels($0) }
    #expect(pixels == pixels.sorted())
  }
}
