/// A small array of numbers with NumPy's rules: what the arithmetic on shapes in an ONNX file is
/// calculated with while the file is read.
///
/// An array that holds one number over and over stores it once, so that filling a shape as large as an
/// image costs nothing.
struct NumberArray: Sendable {
  /// The dimensions; empty for a single number.
  let shape: [Int]
  /// The elements in row-major order, or one element that stands for all of them.
  private let values: [Double]

  /// The most elements of one array: far above any table of sizes, far below what a file could ask for
  /// with a line of text.
  static let limit = 1 << 22

  /// An array of these elements.
  init(_ values: [Double], shape: [Int]) {
    (self.values, self.shape) = (values, shape)
  }

  /// A row of numbers.
  init(_ values: [Double]) { self.init(values, shape: [values.count]) }

  /// An array that holds one number over and over.
  ///
  /// - Throws: a problem for sizes below 0, and for more elements than fit any value.
  init(filled value: Double, shape: [Int]) throws(NumberProblem) {
    _ = try NumberArray.count(of: shape, limit: 1 << 48)
    self.init([value], shape: shape)
  }

  /// The number of elements.
  var count: Int { shape.reduce(1, *) }

  /// All elements in row-major order; only for arrays within `limit`.
  var elements: [Double] {
    values.count == 1 && count != 1 ? [Double](repeating: values[0], count: count) : values
  }

  /// The number that all elements are; nil where they differ or there are none.
  var uniform: Double? {
    guard count > 0, let first = values.first else { return nil }
    return values.allSatisfy { $0 == first } ? first : nil
  }

  private var isFilled: Bool { values.count == 1 }

  /// The number of elements in memory.
  var storedCount: Int { values.count }

  /// The product of a shape's sizes.
  static func count(of shape: [Int], limit: Int = NumberArray.limit) throws(NumberProblem) -> Int {
    var count = 1
    for size in shape {
      guard size >= 0 else { throw NumberProblem("a size of \(size) in shape \(shape)") }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= limit else {
        throw NumberProblem("shape \(shape) has more elements than are calculated on import")
      }
      count = product
    }
    return count
  }
}

extension NumberArray: Equatable {
  static func == (a: NumberArray, b: NumberArray) -> Bool {
    guard a.shape == b.shape else { return false }
    if a.isFilled, b.isFilled { return a.values == b.values || a.count == 0 }
    return a.elements == b.elements
  }
}

/// Why numbers cannot be calculated.
struct NumberProblem: Error {
  /// The reason, to follow the name of the node.
  let text: String

  init(_ text: String) { self.text = text }
}

// MARK: - Element by element

extension NumberArray {
  /// The shape that two shapes broadcast to.
  static func broadcast(_ a: [Int], _ b: [Int]) throws(NumberProblem) -> [Int] {
    let rank = max(a.count, b.count)
    var result: [Int] = []
    for i in 0..<rank {
      let (x, y) = (size(a, i, rank), size(b, i, rank))
      guard x == y || x == 1 || y == 1 else {
        throw NumberProblem("shapes \(a) and \(b) do not broadcast")
      }
      result.append(x == 1 ? y : x)
    }
    return result
  }

  private static func size(_ shape: [Int], _ position: Int, _ rank: Int) -> Int {
    let i = position - (rank - shape.count)
    return i < 0 ? 1 : shape[i]
  }

  /// A function of every element.
  func map(_ change: (Double) -> Double) -> NumberArray {
    NumberArray(values.map(change), shape: shape)
  }

  /// A function of two arrays, which are broadcast to one shape.
  func combined(
    _ other: NumberArray, _ combine: (Double, Double) -> Double
  ) throws(NumberProblem) -> NumberArray {
    let shape = try NumberArray.broadcast(shape, other.shape)
    if isFilled, other.isFilled {
      return try NumberArray(filled: combine(values[0], other.values[0]), shape: shape)
    }
    _ = try NumberArray.count(of: shape)
    let (a, b) = (try expanded(to: shape).elements, try other.expanded(to: shape).elements)
    return NumberArray(zip(a, b).map(combine), shape: shape)
  }

  /// The elements of `a` where this is not 0, and of `b` elsewhere.
  func selecting(_ a: NumberArray, _ b: NumberArray) throws(NumberProblem) -> NumberArray {
    let both = try NumberArray.broadcast(a.shape, b.shape)
    let shape = try NumberArray.broadcast(shape, both)
    if isFilled { return try (values[0] != 0 ? a : b).expanded(to: shape) }
    _ = try NumberArray.count(of: shape)
    let condition = try expanded(to: shape).elements
    let (x, y) = (try a.expanded(to: shape).elements, try b.expanded(to: shape).elements)
    return NumberArray(condition.indices.map { condition[$0] != 0 ? x[$0] : y[$0] }, shape: shape)
  }
}

// MARK: - The same elements, seen otherwise

extension NumberArray {
  /// The steps between neighbours along each dimension.
  private static func strides(_ shape: [Int]) -> [Int] {
    var strides = shape
    var step = 1
    for i in shape.indices.reversed() {
      strides[i] = step
      step *= shape[i]
    }
    return strides
  }

  /// The elements at these places of the storage, row by row.
  private func strided(
    _ shape: [Int], _ strides: [Int], offset: Int = 0
  ) throws(NumberProblem) -> NumberArray {
    if isFilled { return try NumberArray(filled: values[0], shape: shape) }
    let count = try NumberArray.count(of: shape)
    var result: [Double] = []
    result.reserveCapacity(count)
    var position = offset
    var index = [Int](repeating: 0, count: shape.count)
    for _ in 0..<count {
      result.append(values[position])
      var i = shape.count - 1
      while i >= 0 {
        index[i] += 1
        position += strides[i]
        if index[i] < shape[i] { break }
        position -= shape[i] * strides[i]
        index[i] = 0
        i -= 1
      }
    }
    return NumberArray(result, shape: shape)
  }

  /// The same elements in a shape of as many.
  func reshaped(_ shape: [Int]) throws(NumberProblem) -> NumberArray {
    guard try NumberArray.count(of: shape, limit: 1 << 48) == count else {
      throw NumberProblem("\(count) numbers do not fill shape \(shape)")
    }
    return NumberArray(values, shape: shape)
  }

  /// Elements repeated along dimensions of size 1, and along new ones in front.
  func expanded(to target: [Int]) throws(NumberProblem) -> NumberArray {
    if shape == target { return self }
    guard try NumberArray.broadcast(shape, target) == target else {
      throw NumberProblem("shape \(shape) does not expand to \(target)")
    }
    let own = NumberArray.strides(shape)
    let added = target.count - shape.count
    return try strided(
      target, target.indices.map { $0 < added || shape[$0 - added] == 1 ? 0 : own[$0 - added] })
  }

  /// The dimensions in another order.
  func transposed(_ order: [Int]) throws(NumberProblem) -> NumberArray {
    guard order.sorted() == Array(shape.indices) else {
      throw NumberProblem("an order of \(order) for \(shape.count) dimensions")
    }
    let own = NumberArray.strides(shape)
    return try strided(order.map { shape[$0] }, order.map { own[$0] })
  }

  /// Some elements of each dimension, from a first one on by a step.
  ///
  /// - Parameter parts: the first, the number and the step for each dimension.
  func sliced(
    _ parts: [(first: Int, count: Int, step: Int)]
  ) throws(NumberProblem) -> NumberArray {
    let own = NumberArray.strides(shape)
    let isEmpty = parts.contains { $0.count == 0 }
    let offset = isEmpty ? 0 : zip(parts, own).reduce(0) { $0 + $1.0.first * $1.1 }
    return try strided(parts.map(\.count), zip(parts, own).map { $0.step * $1 }, offset: offset)
  }

  /// The array over and over along each dimension.
  func tiled(_ repeats: [Int]) throws(NumberProblem) -> NumberArray {
    guard repeats.count == shape.count else {
      throw NumberProblem("\(repeats.count) repeats for \(shape.count) dimensions")
    }
    // Every dimension becomes two: the repeats, and the elements.
    let own = NumberArray.strides(shape)
    let (pairs, steps) = (zip(repeats, shape), own.flatMap { [0, $0] })
    let target = try strided(pairs.flatMap { [$0, $1] }, steps)
    return try target.reshaped(pairs.map { $0 * $1 })
  }

  /// A dimension, counted from behind where it is negative.
  func dimension(_ axis: Int, ofRank rank: Int? = nil) throws(NumberProblem) -> Int {
    let rank = rank ?? shape.count
    guard (-rank..<rank).contains(axis) else {
      throw NumberProblem("axis \(axis) of \(rank) dimensions")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Arrays one after another along a dimension.
  static func concatenated(
    _ arrays: [NumberArray], axis: Int
  ) throws(NumberProblem) -> NumberArray {
    let first = arrays[0]
    let axis = try first.dimension(axis)
    var shape = first.shape
    for array in arrays.dropFirst() {
      var other = array.shape
      guard other.count == shape.count else {
        throw NumberProblem("shapes \(first.shape) and \(array.shape) side by side")
      }
      shape[axis] += other[axis]
      other[axis] = first.shape[axis]
      guard other == first.shape else {
        throw NumberProblem("shapes \(first.shape) and \(array.shape) side by side")
      }
    }
    _ = try count(of: shape)
    let rows = shape[..<axis].reduce(1, *)
    let all = arrays.map { ($0.elements, $0.count / max(rows, 1)) }
    var result: [Double] = []
    for row in 0..<rows {
      for (elements, width) in all { result += elements[row * width..<(row + 1) * width] }
    }
    return NumberArray(result, shape: shape)
  }

  /// The slices along a dimension at these indices, which count from behind where they are negative.
  func gathered(_ indices: NumberArray, axis: Int) throws(NumberProblem) -> NumberArray {
    let axis = try dimension(axis)
    _ = try NumberArray.count(of: shape)
    let size = shape[axis]
    var places: [Int] = []
    for index in try indices.integers() { places.append(try place(index, of: size)) }
    let target = shape[..<axis] + indices.shape + shape[(axis + 1)...]
    _ = try NumberArray.count(of: Array(target))
    let (rows, width) = (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
    let source = elements
    var result: [Double] = []
    for row in 0..<rows {
      for place in places {
        let start = (row * size + place) * width
        result += source[start..<start + width]
      }
    }
    return NumberArray(result, shape: Array(target))
  }

  private func place(_ index: Int, of size: Int) throws(NumberProblem) -> Int {
    guard (-size..<size).contains(index) else {
      throw NumberProblem("index \(index) of \(size) elements")
    }
    return index < 0 ? index + size : index
  }

  /// The slices at these places: the last dimension of `indices` names them, dimension by dimension.
  func gathered(at indices: NumberArray) throws(NumberProblem) -> NumberArray {
    _ = try NumberArray.count(of: shape)
    let (starts, width) = try starts(of: indices)
    let depth = indices.shape.last ?? 0
    let source = elements
    let target = Array(indices.shape.dropLast() + shape[depth...])
    _ = try NumberArray.count(of: target)
    return NumberArray(starts.flatMap { source[$0..<$0 + width] }, shape: target)
  }

  /// The same array with the slices at these places replaced.
  func replacing(
    at indices: NumberArray, with updates: NumberArray
  ) throws(NumberProblem) -> NumberArray {
    let (starts, width) = try starts(of: indices)
    guard updates.count == starts.count * width else {
      throw NumberProblem("\(updates.count) numbers for \(starts.count) slices of \(width)")
    }
    _ = try NumberArray.count(of: shape)
    var result = elements
    let source = updates.elements
    for (position, start) in starts.enumerated() {
      result.replaceSubrange(
        start..<start + width, with: source[position * width..<(position + 1) * width])
    }
    return NumberArray(result, shape: shape)
  }

  /// Where the slices begin that `indices` names, and how many elements each has.
  private func starts(of indices: NumberArray) throws(NumberProblem) -> ([Int], width: Int) {
    guard let depth = indices.shape.last, (1...max(shape.count, 1)).contains(depth),
      depth <= shape.count
    else { throw NumberProblem("indices of shape \(indices.shape) into shape \(shape)") }
    let steps = NumberArray.strides(shape)
    let all = try indices.integers()
    var starts: [Int] = []
    for first in stride(from: 0, to: all.count, by: depth) {
      var start = 0
      for i in 0..<depth { start += try place(all[first + i], of: shape[i]) * steps[i] }
      starts.append(start)
    }
    return (starts, shape[depth...].reduce(1, *))
  }

  /// The elements as whole numbers.
  ///
  /// - Throws: a problem where one is no whole number of 53 bits.
  func integers() throws(NumberProblem) -> [Int] {
    _ = try NumberArray.count(of: shape)
    guard let whole = elements.wholeNumbers else {
      throw NumberProblem("whole numbers are needed, others are there")
    }
    return whole
  }
}

// MARK: - Fewer elements

extension NumberArray {
  /// A function of all elements along some dimensions; of all dimensions where none is named.
  func reduced(
    _ axes: [Int], keepsDimensions: Bool, _ reduce: (ArraySlice<Double>) -> Double
  ) throws(NumberProblem) -> NumberArray {
    var gone = Set<Int>()
    for axis in axes { gone.insert(try dimension(axis)) }
    if axes.isEmpty { gone = Set(shape.indices) }
    let kept = shape.indices.filter { !gone.contains($0) }
    let moved = try transposed(kept + gone.sorted())
    _ = try NumberArray.count(of: shape)
    let width = gone.reduce(1) { $0 * shape[$1] }
    let rows = kept.reduce(1) { $0 * shape[$1] }
    let source = moved.elements
    let target =
      keepsDimensions
      ? shape.indices.map { gone.contains($0) ? 1 : shape[$0] } : kept.map { shape[$0] }
    return NumberArray(
      (0..<rows).map { reduce(source[$0 * width..<($0 + 1) * width]) }, shape: target)
  }

  /// The places of the elements that are not 0, one row for each dimension.
  func nonZero() throws(NumberProblem) -> NumberArray {
    _ = try NumberArray.count(of: shape)
    let places = elements.indices.filter { elements[$0] != 0 }
    let steps = NumberArray.strides(shape)
    let rows = shape.indices.flatMap { i in places.map { Double($0 / steps[i] % shape[i]) } }
    return NumberArray(rows, shape: [shape.count, places.count])
  }

  /// Running sums along a dimension.
  func runningSum(axis: Int) throws(NumberProblem) -> NumberArray {
    let axis = try dimension(axis)
    _ = try NumberArray.count(of: shape)
    let step = NumberArray.strides(shape)[axis]
    var result = elements
    for i in result.indices where i / step % shape[axis] > 0 { result[i] += result[i - step] }
    return NumberArray(result, shape: shape)
  }

  /// The numbers from a first one up to, not including, a limit.
  static func range(
    from start: Double, to limit: Double, by step: Double
  ) throws(NumberProblem) -> NumberArray {
    guard step != 0, start.isFinite, limit.isFinite, step.isFinite else {
      throw NumberProblem("a range from \(start) to \(limit) by \(step)")
    }
    let count = max(((limit - start) / step).rounded(.up), 0)
    guard count <= Double(NumberArray.limit) else {
      throw NumberProblem("a range from \(start) to \(limit) by \(step) is too long")
    }
    return NumberArray((0..<Int(count)).map { start + Double($0) * step })
  }
}

extension [Double] {
  /// The numbers as integers; nil where one is no whole number of 53 bits.
  var wholeNumbers: [Int]? {
    var result: [Int] = []
    for value in self {
      // What is beyond stands for "to the end" in slices.
      let bounded = Swift.min(Swift.max(value, -0x1p53), 0x1p53)
      guard !value.isNaN, let whole = Int(exactly: bounded) else { return nil }
      result.append(whole)
    }
    return result
  }
}
