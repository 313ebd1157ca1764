import AviaryGraph

// Slices of numbers, and the ranges that a slice of a value takes.
extension ONNXReader {
  /// A part of numbers.
  func sliced(
    _ array: NumberArray,
    _ integers: (_ input: Int, _ attribute: String) throws(NumberProblem) -> [Int]?
  ) throws(NumberProblem) -> NumberArray {
    guard let starts = try integers(1, "starts"), let ends = try integers(2, "ends") else {
      throw NumberProblem("starts or ends are missing")
    }
    let axes = try integers(3, "axes") ?? Array(starts.indices)
    let steps = try integers(4, "steps") ?? starts.map { _ in 1 }
    guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count else {
      throw NumberProblem("starts, ends, axes and steps differ in number")
    }
    var parts = array.shape.map { (first: 0, count: $0, step: 1) }
    for i in starts.indices {
      let axis = try array.dimension(axes[i])
      guard let part = ONNXReader.part(starts[i], ends[i], steps[i], of: array.shape[axis]) else {
        throw NumberProblem("a step of 0")
      }
      parts[axis] = part
    }
    return try array.sliced(parts)
  }

  /// The elements of so many that a slice takes, by ONNX's rule for places beyond the ends; nil for a
  /// step of 0.
  static func part(
    _ start: Int, _ end: Int, _ step: Int, of size: Int
  ) -> (first: Int, count: Int, step: Int)? {
    func bounded(_ place: Int, _ range: ClosedRange<Int>) -> Int {
      min(max(place < 0 ? place &+ size : place, range.lowerBound), range.upperBound)
    }
    if size == 0 { return (0, 0, 1) }
    if step > 0 {
      let (first, last) = (bounded(start, 0...size), bounded(end, 0...size))
      let count = last > first ? (last - first - 1) / step + 1 : 0
      return (first, count, min(step, size))
    }
    guard step < 0 else { return nil }
    let (first, last) = (bounded(start, 0...(size - 1)), bounded(end, -1...(size - 1)))
    let count = first > last ? (first - last - 1) / -max(step, -size) + 1 : 0
    return (first, count, max(step, -size))
  }

  /// The ranges of a slice, as attributes or as inputs.
  func sliceRanges() throws(InterchangeError) -> [(axis: Int, start: Int, end: Int, step: Int)] {
    guard let starts = try integers(1, "starts"), let ends = try integers(2, "ends") else {
      throw unsupported("expected constant starts and ends, found others")
    }
    let axes = try integers(3, "axes") ?? Array(starts.indices)
    let steps = try integers(4, "steps") ?? starts.map { _ in 1 }
    guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count else {
      throw unsupported("expected as many starts as ends, axes and steps")
    }
    return starts.indices.map { (axes[$0], starts[$0], ends[$0], steps[$0]) }
  }
}
