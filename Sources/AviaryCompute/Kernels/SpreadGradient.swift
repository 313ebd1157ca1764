import AviaryThreads

/// Gives every element of a value a multiple of the element of a smaller one that it belongs to:
/// the gradient of a sum or a mean.
struct SpreadGradient {
  private let reduceToShape: Broadcast
  private let factor: Float

  /// - Parameters:
  ///   - source: what is spread, with size 1 along the dimensions along which it is.
  ///   - shape: that of the result, which lies in the same memory format.
  init(_ source: IRGraph.Value, over shape: [Int], factor: Double) {
    reduceToShape = Broadcast(source, in: shape)
    self.factor = Float(factor)
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    guard let inner = reduceToShape.sizes.last, let step = reduceToShape.strides.last else { return }
    workers.split(reduceToShape.sizes.dropLast().reduce(1, *), cost: inner) { range in
      for row in range {
        let source = unsafe from + reduceToShape.offset(ofRow: row)
        let target = unsafe to + row * inner
        for i in 0..<inner { unsafe target[i] = source[i * step] * factor }
      }
    }
  }
}
