import AviaryGraph

/// One polyphase component of a strided transposed convolution, along one axis: output pixels o
/// with (o + crop) mod stride = phase are a convolution of the input, with stride 1 and every
/// stride-th tap of the kernel.
struct PolyphaseComponent {
  /// The kernel's taps that meet these pixels, in the order of a convolution: the last first.
  let taps: [Int]
  /// The padding of the convolution.
  let before: Int
  let after: Int
  /// How many pixels the convolution gives.
  let count: Int
  /// Which of them go where in the output.
  let stretch: Interleave.Stretch
  /// How many of the output's pixels belong to this component: more than the stretch has where the
  /// padding is negative.
  let pixels: Int

  init(_ phase: Int, kernel: Int, stride: Int, crop: Int, input: Int, output: Int) {
    taps = Array(Swift.stride(from: phase, to: kernel, by: stride).reversed())
    // Output pixel q · stride + phase - crop is the sum of taps t times input q - t.
    let lowest = (crop - phase).dividedRoundingUp(by: stride)
    let highest = (output - 1 + crop - phase).dividedRoundingDown(by: stride)
    pixels = max(highest - lowest + 1, 0)
    let first = max(lowest, 0)
    let last = min(highest, input + taps.count - 2)
    guard !taps.isEmpty, first <= last else {
      (before, after, count) = (0, 0, 0)
      stretch = Interleave.Stretch(source: 0, destination: 0, step: stride, count: 0)
      return
    }
    // More than is wanted is calculated where the transposed padding reaches further than the
    // convolution's own.
    let start = min(first, taps.count - 1)
    let end = max(last, input - 1)
    before = taps.count - 1 - start
    after = end - (input - 1)
    count = end - start + 1
    stretch = Interleave.Stretch(
      source: first - start, destination: first * stride + phase - crop, step: stride,
      count: last - first + 1)
  }
}
