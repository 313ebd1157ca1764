/// Which pixels make up each pixel of the result along one side, and with what weights.
///
/// The geometry and the arithmetic are those of `contributions` in MATLAB's `imresize`: pixel
/// centres at half coordinates, the kernel stretched where it reduces with antialiasing, weights
/// made to sum to 1.
struct ResamplingTaps {
  /// Taps of each pixel.
  let count: Int
  /// The first tap of each pixel; beyond the borders where the kernel reaches there.
  let first: [Int]
  /// `count` weights of each pixel, one pixel after the other.
  let weights: [Double]
  private let inputCount: Int
  private let border: ResamplingBorder

  init(from inputCount: Int, to outputCount: Int, scale: Double, _ resampling: Resampling) {
    let kernel = resampling.kernel
    let isStretched = scale < 1 && resampling.isAntialiased
    let width = isStretched ? kernel.width / scale : kernel.width
    let count = Int(width.rounded(.up)) + 2
    var first = [Int](repeating: 0, count: outputCount)
    var weights = [Double](repeating: 0, count: outputCount * count)
    for i in 0..<outputCount {
      // Counted from 1 as in MATLAB, so that the same roundings happen.
      let centre = Double(i + 1) / scale + 0.5 * (1 - 1 / scale)
      let left = (centre - width / 2).rounded(.down)
      first[i] = Int(left) - 1
      var sum = 0.0
      for t in 0..<count {
        let x = centre - (left + Double(t))
        let weight = isStretched ? scale * kernel.value(scale * x) : kernel.value(x)
        weights[i * count + t] = weight
        sum += weight
      }
      for t in 0..<count { weights[i * count + t] /= sum }
    }
    self.init(
      trimming: first, weights, count: count, inputCount: inputCount, border: resampling.border)
  }

  /// Drops the taps at either end that weigh nothing in any pixel.
  private init(
    trimming first: [Int], _ weights: [Double], count: Int, inputCount: Int,
    border: ResamplingBorder
  ) {
    let used = (0..<count).filter { t in
      stride(from: t, to: weights.count, by: count).contains { weights[$0] != 0 }
    }
    let kept = (used.first ?? 0)..<((used.last ?? 0) + 1)
    self.count = kept.count
    self.first = first.map { $0 + kept.lowerBound }
    self.weights =
      kept.count == count
      ? weights
      : first.indices.flatMap {
        weights[$0 * count + kept.lowerBound..<$0 * count + kept.upperBound]
      }
    self.inputCount = inputCount
    self.border = border
  }

  /// The pixel behind a tap, within the borders.
  func source(_ index: Int) -> Int { border.map(index, count: inputCount) }

  /// The pixels that one of the result is made of: from the first to the last, within the borders.
  func range(of output: Int) -> Range<Int> {
    var (low, high) = (inputCount, 0)
    for t in 0..<count {
      let index = source(first[output] + t)
      (low, high) = (min(low, index), max(high, index))
    }
    return low..<high + 1
  }

  /// From the first tap of all to the last, borders not applied.
  var reach: Range<Int> {
    (first.min() ?? 0)..<(first.max() ?? 0) + count
  }
}
