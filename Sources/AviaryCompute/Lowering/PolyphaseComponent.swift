import AviaryGraph

/// One polyphase component of a strided transposed convolution, along one axis: output pixels that
/// are as many pixels from each other as the stride says are a convolution of the input, of stride
/// 1, with those taps of the kernel that meet them.
///
/// Tap t of the kernel meets output pixels o with (o + crop - t · dilation) mod stride = 0. Those of
/// one tap also meet the taps that lie stride / gcd(stride, dilation) further on, and no others: a
/// component is named by the first of its taps, and is a convolution dilated by
/// dilation / gcd(stride, dilation).
struct PolyphaseComponent {
  /// The kernel's taps that meet these pixels, in the order of a convolution: the last first.
  let taps: [Int]
  /// How far apart the taps lie in the input.
  let dilation: Int
  /// The padding of the convolution.
  let before: Int
  let after: Int
  /// How many pixels the convolution gives.
  let count: Int
  /// Which of them go where in the output.
  let stretch: Interleave.Stretch

  /// - Parameter tap: the first tap of the component, below `count(kernel:stride:dilation:)`.
  init(
    _ tap: Int, kernel: Int, stride: Int, dilation: Int, crop: Int, input: Int, output: Int
  ) {
    let common = greatestCommonDivisor(stride, dilation)
    taps = Array(Swift.stride(from: tap, to: kernel, by: stride / common).reversed())
    self.dilation = dilation / common
    // Output pixel q · stride + phase - crop is the sum of the component's taps, the m-th times
    // input q - m · self.dilation.
    let phase = tap * dilation
    let lowest = (crop - phase).dividedRoundingUp(by: stride)
    let highest = (output - 1 + crop - phase).dividedRoundingDown(by: stride)
    let reach = (taps.count - 1) * self.dilation
    let first = max(lowest, 0)
    let last = min(highest, input - 1 + reach)
    guard !taps.isEmpty, first <= last else {
      (before, after, count) = (0, 0, 0)
      stretch = Interleave.Stretch(source: 0, destination: 0, step: stride, count: 0)
      return
    }
    // More than is wanted is calculated where the transposed padding reaches further than the
    // convolution's own.
    let start = min(first, reach)
    let end = max(last, input - 1)
    before = reach - start
    after = end - (input - 1)
    count = end - start + 1
    stretch = Interleave.Stretch(
      source: first - start, destination: first * stride + phase - crop, step: stride,
      count: last - first + 1)
  }

  /// How many components there are: output pixels that no tap meets belong to none.
  static func count(kernel: Int, stride: Int, dilation: Int) -> Int {
    min(stride / greatestCommonDivisor(stride, dilation), kernel)
  }
}
