import AviaryThreads

/// The gradient of a maximum over dimensions: it goes to the elements that equal the maximum, in
/// equal parts where there are several (PyTorch's `amax`).
struct MaximumGradient {
  /// Where the elements begin of which each maximum is taken.
  private let starts: [Int]
  /// Where the elements of one maximum lie from there.
  private let offsets: [Int]

  /// - Parameters:
  ///   - shape: that of what the maximum is taken of, row-major.
  ///   - dimensions: those along which it is taken.
  init(_ shape: [Int], _ dimensions: [Int]) {
    var (starts, offsets) = ([0], [0])
    var stride = shape.reduce(1, *)
    for (i, size) in shape.enumerated() {
      stride /= max(size, 1)
      let steps = (0..<size).map { $0 * stride }
      if dimensions.contains(i) {
        offsets = offsets.flatMap { offset in steps.map { offset + $0 } }
      } else {
        starts = starts.flatMap { start in steps.map { start + $0 } }
      }
    }
    (self.starts, self.offsets) = (starts, offsets)
  }

  /// - Parameters:
  ///   - gradient: that of the maxima.
  ///   - input: what the maxima are taken of.
  ///   - maxima: the maxima.
  func run(
    _ gradient: UnsafePointer<Float>, _ input: UnsafePointer<Float>,
    _ maxima: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(starts.count, cost: 2 * offsets.count) { range in
      for number in range {
        let start = starts[number]
        let maximum = unsafe maxima[number]
        var count: Float = 0
        for offset in offsets { unsafe count += input[start + offset] == maximum ? 1 : 0 }
        // Where no element equals it, it is not a number, and so is its gradient.
        let part = unsafe gradient[number] / count
        for offset in offsets {
          unsafe result[start + offset] =
            input[start + offset] == maximum || count == 0 ? part : 0
        }
      }
    }
  }
}
