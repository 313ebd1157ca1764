import AviaryGraph

/// What a convolution vectorised over pixels does along one axis: of stride 1, and for each of its positions so
/// many pixels of the result as there are lists of taps.
struct PlaneAxis: Hashable {
  /// For each of a square's pixels, which of the kernel's rows or columns it meets, in the order of
  /// the input; -1 for none.
  let taps: [[Int]]
  let dilation: Int
  /// How far before the input the first tap of the first position lies; may be negative.
  let before: Int
  /// How many positions there are.
  let count: Int
  /// How many of the first square's pixels lie outside of the result.
  let crop: Int

  /// A convolution of stride 1.
  ///
  /// - Parameters:
  ///   - taps: the kernel's rows or columns in the order in which they meet the input.
  ///   - output: how many pixels the result has.
  init(taps: [Int], dilation: Int, before: Int, output: Int) {
    self.taps = [taps]
    (self.dilation, self.before, count, crop) = (dilation, before, output, 0)
  }

  /// A transposed convolution, in which pixel q · stride + phase - crop of the result is the sum of
  /// taps phase + m · stride times pixel q - m of the input.
  init(kernel: Int, stride: Int, crop: Int, output: Int) {
    let reach = (kernel + stride - 1) / stride
    taps = (0..<stride).map { phase in
      (0..<reach).reversed().map { m in
        phase + m * stride < kernel ? phase + m * stride : -1
      }
    }
    let first = crop.dividedRoundingDown(by: stride)
    dilation = 1
    before = reach - 1 - first
    count = (output - 1 + crop).dividedRoundingDown(by: stride) - first + 1
    self.crop = crop - first * stride
  }

  /// Of how many taps the kernel consists that is calculated.
  var reach: Int { taps[0].count }
}
