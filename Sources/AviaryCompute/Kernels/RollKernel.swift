import AviaryThreads

/// Moves elements round along dimensions, those that leave coming in on the other side.
struct RollKernel {
  private let shape: [Int]
  /// How far along each dimension, from 0 to less than its size.
  private let shifts: [Int]

  /// - Parameter shifts: by dimension; forwards where positive.
  init(_ shape: [Int], _ shifts: [Int: Int]) {
    self.shape = shape
    self.shifts = shape.enumerated().map { dimension, size in
      let shift = (shifts[dimension] ?? 0) % size
      return shift < 0 ? shift + size : shift
    }
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    guard let length = shape.last, let shift = shifts.last else { return }
    workers.split(shape.dropLast().reduce(1, *), cost: length) { range in
      for row in range {
        let source = unsafe from + self.source(ofRow: row) * length
        // Along the last dimension a row is two stretches of memory, one of them perhaps empty.
        let target = unsafe to + row * length
        unsafe (target + shift).update(from: source, count: length - shift)
        unsafe target.update(from: source + length - shift, count: shift)
      }
    }
  }

  /// The row of the input that comes to a row of the result.
  private func source(ofRow row: Int) -> Int {
    var (rest, stride, result) = (row, 1, 0)
    for i in shape.indices.dropLast().reversed() {
      let index = rest % shape[i]
      rest /= shape[i]
      result += (index >= shifts[i] ? index - shifts[i] : index - shifts[i] + shape[i]) * stride
      stride *= shape[i]
    }
    return result
  }
}
