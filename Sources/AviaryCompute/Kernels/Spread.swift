import AviaryThreads

/// Gives every element of a value a multiple of the element of a smaller one that it belongs to:
/// the gradient of a sum or a mean.
struct Spread {
  private let repetition: Repetition
  private let factor: Float

  /// - Parameters:
  ///   - source: what is spread, with size 1 along the dimensions along which it is.
  ///   - shape: that of the result, which lies in the same layout.
  init(_ source: Program.Value, over shape: [Int], factor: Double) {
    repetition = Repetition(source, in: shape)
    self.factor = Float(factor)
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    guard let inner = repetition.sizes.last, let step = repetition.strides.last else { return }
    workers.split(repetition.sizes.dropLast().reduce(1, *), cost: inner) { range in
      for row in range {
        let source = unsafe from + repetition.offset(ofRow: row)
        let target = unsafe to + row * inner
        for i in 0..<inner { unsafe target[i] = source[i * step] * factor }
      }
    }
  }
}
