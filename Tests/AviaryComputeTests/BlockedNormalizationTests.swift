import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Normalisation over the channels of images that lie in blocks of 16 channels: every kind, sizes
/// that leave vectors half empty, batches, threads.
@Suite struct BlockedNormalizationTests {
  private static let kinds: [LayerNormalization] =
    LayerNormalization.Kind.allCases.flatMap { kind in
      [
        LayerNormalization(kind, first: 1),
        LayerNormalization(kind, first: 1, epsilon: 1e-3, scale: true, center: true),
        LayerNormalization(kind, first: 1, scale: false, center: false),
      ]
    } + [LayerNormalization(.rms, first: 1, addsEpsilonToRoot: true)]

  private func check(
    _ normalization: LayerNormalization, _ shape: [Int], threads: Int,
    of values: ClosedRange<Float> = -1...1
  ) throws {
    var options = PlanOptions()
    let name = normalization.op.name
    options.choices = [
      PlanChoice(
        layer: "node \(name)", candidate: "nChw16c float32>nChw16c float32 direct")
    ]
    let comparison = try Comparison(
      Graph(of: normalization.op, channels: [shape[1]]), [shape], of: values, options: options,
      engine: Engine(threads: threads))
    #expect(comparison.largestError <= 1e-5, "\(normalization) of \(shape), \(threads) threads")
    // Images come in and go out nchw: the copies show that it was done in blocks. Of one pixel, and
    // on processors without vectors of 16, there is nothing to copy.
    #expect(
      [0, 2].contains(comparison.steps.filter { $0.operation == "reorder" }.count),
      "\(comparison.steps)")
  }

  @Test(arguments: kinds, [16, 32, 48, 160, 512])
  func channels(_ normalization: LayerNormalization, _ channels: Int) throws {
    for (height, width) in [(1, 1), (3, 5), (4, 4), (17, 31)] {
      try check(normalization, [2, channels, height, width], threads: 2)
    }
  }

  @Test(arguments: 1...33)
  func sizes(_ width: Int) throws {
    for threads in [1, 2] {
      try check(LayerNormalization(first: 1), [1, 32, 1, width], threads: threads)
      try check(LayerNormalization(first: 1), [3, 32, 9, 8 * width], threads: threads)
    }
  }

  /// Far from zero most of a sum of squares would be the mean's.
  @Test func farFromZero() throws {
    for channels in [16, 64] {
      try check(
        LayerNormalization(first: 1), [1, channels, 7, 9], threads: 1, of: 99...101)
    }
  }
}
