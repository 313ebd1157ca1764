/// The pixels along one axis where one tap of a kernel meets input: `count` pairs of an output and
/// an input pixel, evenly spaced.
struct TapRun: Hashable {
  var output: Int
  var outputStep: Int
  var input: Int
  var inputStep: Int
  var count: Int

  /// The runs of all taps of a convolution of stride 1, in which output o meets input
  /// o + tap · dilation - padding.
  static func convolution(
    taps: Int, dilation: Int, padding: Int, input: Int, output: Int
  ) -> [TapRun] {
    (0..<taps).map { tap in
      let shift = tap * dilation - padding
      let first = max(0, -shift)
      let end = min(output, input - shift)
      return TapRun(
        output: first, outputStep: 1, input: first + shift, inputStep: 1, count: max(end - first, 0)
      )
    }
  }

  /// The runs of all taps of a transposed convolution, in which input i meets output
  /// i · stride + tap - crop.
  static func transposed(
    taps: Int, stride: Int, crop: Int, input: Int, output: Int
  ) -> [TapRun] {
    (0..<taps).map { tap in
      let first = max(0, (crop - tap).dividedRoundingUp(by: stride))
      let end = min(input, (output + crop - tap).dividedRoundingUp(by: stride))
      return TapRun(
        output: first * stride + tap - crop, outputStep: stride, input: first, inputStep: 1,
        count: max(end - first, 0))
    }
  }

  /// The input pixel that meets an output pixel, if any does.
  func input(at output: Int) -> Int? {
    let distance = output - self.output
    guard distance >= 0, distance % outputStep == 0, distance / outputStep < count else {
      return nil
    }
    return input + distance / outputStep * inputStep
  }
}

extension Int {
  /// The quotient, rounded up; the divisor is above 0.
  func dividedRoundingUp(by divisor: Int) -> Int {
    self > 0 ? (self + divisor - 1) / divisor : self / divisor
  }

  /// The quotient, rounded down; the divisor is above 0.
  func dividedRoundingDown(by divisor: Int) -> Int { -(-self).dividedRoundingUp(by: divisor) }
}
