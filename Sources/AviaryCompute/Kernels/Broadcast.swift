import AviaryGraph
import AviaryThreads

/// How an operand that may repeat along dimensions is walked through in the order of the result.
struct Broadcast {
  /// The result's dimensions as they lie in memory, and how far this operand moves along each: by
  /// nothing where it repeats.
  private(set) var sizes: [Int]
  private(set) var strides: [Int]

  init(_ operand: IRGraph.Value, in shape: [Int]) {
    let own = Broadcast.dimensions(
      operand.shape.aligned(to: shape.count), operand.memoryFormat)
    sizes = Broadcast.dimensions(shape, operand.memoryFormat)
    strides = Array(repeating: 0, count: sizes.count)
    var stride = 1
    // Sizes that differ are 1 in the operand: there it does not move.
    for i in own.indices.reversed() {
      if own[i] == sizes[i] { strides[i] = stride }
      stride *= own[i]
    }
  }

  /// A row-major operand whose dimensions are read in another order.
  init(_ operand: [Int], read order: [Int], in shape: [Int]) {
    let own = order.map { operand[$0] }.aligned(to: shape.count)
    let steps = [Int](repeating: 0, count: shape.count - order.count) + operand.strides(read: order)
    sizes = shape
    strides = shape.indices.map { own[$0] == shape[$0] ? steps[$0] : 0 }
  }

  /// A shape as it lies in memory, outermost first.
  static func dimensions(_ shape: [Int], _ memoryFormat: MemoryFormat) -> [Int] {
    switch memoryFormat {
    case .nchw: shape
    case .nhwc: [shape[0], shape[2], shape[3], shape[1]]
    case .nChw16c:
      [shape[0], shape[1] / MemoryFormat.block, shape[2], shape[3], MemoryFormat.block]
    }
  }

  /// Where the operand's part of a row of the result begins.
  func offset(ofRow row: Int) -> Int {
    var (rest, offset) = (row, 0)
    for i in sizes.indices.dropLast().reversed() {
      offset += rest % sizes[i] * strides[i]
      rest /= sizes[i]
    }
    return offset
  }
}

/// The gradient by an operand that is repeated: the sum of all that its repetitions get.
///
/// An element is summed by one thread in one order, so that the result does not depend on how many
/// there are; in double precision, as a batch has a million pixels.
struct ReduceToShape {
  /// A dimension of the result, with the strides of what is walked through.
  private struct Dimension {
    var size: Int
    var gradient: Int
    var factor: Int
    /// That of the operand: 0 where it is repeated.
    var sum: Int
  }

  /// Along which the operand has elements of its own.
  private var kept: [Dimension] = []
  /// Along which it is repeated.
  private var summed: [Dimension] = []
  /// The last dimension as it lies in memory, and whether the operand has elements along it.
  private var inner = Dimension(size: 1, gradient: 1, factor: 0, sum: 0)
  private var isInnerKept = false

  /// - Parameters:
  ///   - operand: what is repeated.
  ///   - result: the value whose gradient there is, in the operand's memory format.
  ///   - factor: what the gradient is multiplied by; it may itself repeat.
  init(operand: IRGraph.Value, result: IRGraph.Value, factor: IRGraph.Value?) {
    let own = Broadcast(operand, in: result.shape)
    let all = Broadcast(result, in: result.shape)
    let other = factor.map { Broadcast($0, in: result.shape) }
    let dimensions = own.sizes.indices.map { i in
      Dimension(
        size: own.sizes[i], gradient: all.strides[i], factor: other?.strides[i] ?? 0,
        sum: own.strides[i])
    }
    for (i, dimension) in dimensions.enumerated() {
      if i == dimensions.count - 1 {
        (inner, isInnerKept) = (dimension, dimension.sum != 0)
      } else if dimension.sum != 0 {
        ReduceToShape.append(dimension, to: &kept)
      } else {
        ReduceToShape.append(dimension, to: &summed)
      }
    }
  }

  /// Adds a dimension, to the one before it where the two are walked through as one: to find an
  /// element takes a division for each.
  private static func append(_ dimension: Dimension, to list: inout [Dimension]) {
    if let last = list.last, last.gradient == dimension.gradient * dimension.size,
      last.factor == dimension.factor * dimension.size,
      last.sum == dimension.sum * dimension.size
    {
      var whole = dimension
      whole.size *= last.size
      list[list.count - 1] = whole
    } else {
      list.append(dimension)
    }
  }

  /// - Parameters:
  ///   - gradient: that of the result.
  ///   - factor: nil for 1.
  func run(
    _ gradient: UnsafePointer<Float>, _ factor: UnsafePointer<Float>?,
    to sums: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let lines = kept.reduce(1) { $0 * $1.size }, rows = summed.reduce(1) { $0 * $1.size }
    // Elements that lie side by side are summed side by side, so many at a time.
    let width = isInnerKept ? min(inner.size, ReduceToShape.width) : inner.size
    let blocks = isInnerKept ? (inner.size + width - 1) / width : 1
    workers.split(lines * blocks, cost: rows * width) { range in
      for part in range {
        let line = ReduceToShape.place(part / blocks, kept)
        let first = part % blocks * width
        let count = min(width, inner.size - first)
        let source = unsafe gradient + line.gradient + first
        let other = unsafe factor.map { unsafe $0 + line.factor + first * inner.factor }
        if isInnerKept {
          unsafe addColumns(source, other, rows, count, to: sums + line.sum + first)
        } else {
          unsafe sums[line.sum] = addAll(source, other, rows, count)
        }
      }
    }
  }

  private static let width = 16

  /// The sums of columns of `count` neighbours over all rows.
  private func addColumns(
    _ source: UnsafePointer<Float>, _ factor: UnsafePointer<Float>?, _ rows: Int, _ count: Int,
    to sums: UnsafeMutablePointer<Float>
  ) {
    unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { totals in
      guard let totals = totals.baseAddress else { return }
      unsafe totals.update(repeating: 0, count: count)
      for row in 0..<rows {
        let place = ReduceToShape.place(row, summed)
        let values = unsafe source + place.gradient
        guard let others = unsafe factor.map({ unsafe $0 + place.factor }) else {
          for i in 0..<count { unsafe totals[i] += Double(values[i]) }
          continue
        }
        // Two loops, of which the one for neighbours becomes vector code.
        if inner.factor == 1 {
          for i in 0..<count { unsafe totals[i] += Double(values[i]) * Double(others[i]) }
        } else {
          for i in 0..<count {
            unsafe totals[i] += Double(values[i]) * Double(others[i * inner.factor])
          }
        }
      }
      for i in 0..<count { unsafe sums[i] = Float(totals[i]) }
    }
  }

  /// The sum of everything.
  private func addAll(
    _ source: UnsafePointer<Float>, _ factor: UnsafePointer<Float>?, _ rows: Int, _ count: Int
  ) -> Float {
    var total = 0.0
    let isDense = unsafe factor == nil || inner.factor == 1
    for row in 0..<rows {
      let place = ReduceToShape.place(row, summed)
      let values = unsafe source + place.gradient
      let others = unsafe factor.map { unsafe $0 + place.factor }
      // Several sums at a time: one alone would wait for every addition.
      var lanes = SIMD8<Double>()
      var i = 0
      while isDense, i + 8 <= count {
        var part = unsafe SIMD8<Double>(ReduceToShape.lanes(values + i))
        if let others = unsafe others {
          part *= unsafe SIMD8<Double>(ReduceToShape.lanes(others + i))
        }
        lanes += part
        i += 8
      }
      total += lanes.sum()
      while i < count {
        let other = unsafe others.map { unsafe Double($0[i * inner.factor]) } ?? 1
        unsafe total += Double(values[i]) * other
        i += 1
      }
    }
    return Float(total)
  }

  @inline(__always)
  private static func lanes(_ place: UnsafePointer<Float>) -> SIMD8<Float> {
    unsafe UnsafeRawPointer(place).loadUnaligned(as: SIMD8<Float>.self)
  }

  /// Where the elements of this number in row-major order of some dimensions lie.
  private static func place(
    _ number: Int, _ dimensions: [Dimension]
  ) -> (gradient: Int, factor: Int, sum: Int) {
    var rest = number
    var place = (gradient: 0, factor: 0, sum: 0)
    for dimension in dimensions.reversed() {
      let index = rest % dimension.size
      rest /= dimension.size
      place.gradient += index * dimension.gradient
      place.factor += index * dimension.factor
      place.sum += index * dimension.sum
    }
    return place
  }
}

/// Gives every element of a value a multiple of the element of a smaller one that it belongs to:
/// the gradient of a sum or a mean.
struct SpreadGradient {
  private let reduceToShape: Broadcast
  private let factor: Float

  /// - Parameters:
  ///   - source: what is broadcast, with size 1 along the dimensions along which it is.
  ///   - shape: that of the result, which lies in the same memory format.
  init(_ source: IRGraph.Value, over shape: [Int], factor: Double) {
    reduceToShape = Broadcast(source, in: shape)
    self.factor = Float(factor)
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    guard let inner = reduceToShape.sizes.last, let step = reduceToShape.strides.last else {
      return
    }
    workers.split(reduceToShape.sizes.dropLast().reduce(1, *), cost: inner) { range in
      for row in range {
        let source = unsafe from + reduceToShape.offset(ofRow: row)
        let target = unsafe to + row * inner
        for i in 0..<inner { unsafe target[i] = source[i * step] * factor }
      }
    }
  }
}

extension [Int] {
  /// How far neighbours are apart in row-major memory of this shape, along dimensions in this order.
  func strides(read order: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: count)
    for i in indices.dropLast().reversed() { strides[i] = strides[i + 1] * self[i + 1] }
    return order.map { strides[$0] }
  }
}
