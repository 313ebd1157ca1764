/// Elements along a dimension from `start` up to, not including, `end`, by steps, as Python's
/// indexing takes them: places below 0 count from the end, and what lies outside is left out. A
/// step of -1 without start and end turns the dimension round.
///
/// Ranges of channels have `ChannelSlice`, and edges cut off images `Crop`, which work in every
/// memory format.
public struct StridedSlice: Hashable, Sendable {
  /// The dimension.
  public var dimension: Int
  /// The first place; nil for the first in the direction of the step.
  public var start: Int?
  /// The place before which it ends; nil for the end in the direction of the step.
  public var end: Int?
  /// From one place to the next; not 0.
  public var step: Int

  /// Everything along a dimension, unless stated.
  public init(dimension: Int, start: Int? = nil, end: Int? = nil, step: Int = 1) {
    (self.dimension, self.start, self.end, self.step) = (dimension, start, end, step)
  }

  /// A dimension turned round.
  public static func flip(_ dimension: Int) -> StridedSlice {
    StridedSlice(dimension: dimension, step: -1)
  }
}

extension StridedSlice {
  /// Which of `size` elements are taken: the first, and how many.
  package func places(_ size: Int) -> (first: Int, count: Int) {
    let lowest = step > 0 ? 0 : -1
    let highest = step > 0 ? size : size - 1
    func bounded(_ place: Int?, or absent: Int) -> Int {
      guard let place else { return absent }
      return min(max(place < 0 ? place + size : place, lowest), highest)
    }
    let first = bounded(start, or: step > 0 ? lowest : highest)
    let last = bounded(end, or: step > 0 ? highest : lowest)
    let distance = step > 0 ? last - first : first - last
    let stride = abs(step)
    return (first, distance <= 0 ? 0 : (distance - 1) / stride + 1)
  }
}

extension StridedSlice: Operation {
  package static let names = ["stridedSlice"]
  package var name: String { "stridedSlice" }
  package var op: Op { .stridedSlice(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      dimension: try a.int("dimension"), start: try a.optionalInt("start"),
      end: try a.optionalInt("end"), step: try a.int("step", default: 1))
  }
  package var attributes: [String: JSON] {
    var members = Attributes.members(("dimension", .int(dimension), nil), ("step", .int(step), 1))
    members["start"] = start.map(JSON.int)
    members["end"] = end.map(JSON.int)
    return members
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
    let places = -GraphLimits.dimension...GraphLimits.dimension
    if let start { try check("start", start, places) }
    if let end { try check("end", end, places) }
    try check("step", step, -GraphLimits.window...GraphLimits.window)
    guard step != 0 else {
      throw .attribute(
        node: check.node, "step", expected: "a number other than 0", found: "\(step)")
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectRank(dimension + 1, shape)
    shape[dimension] = places(shape[dimension]).count
    guard shape[dimension] > 0 else {
      throw .expected(
        "a dimension \(dimension) of which something is left between \(start ?? 0) and "
          + (end.map(String.init) ?? "the end"), found: "\(inputs[0])")
    }
    return shape
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    guard dimension == axis.dimension else { return .pointwise }
    let ratio = Ratio(1, abs(step))
    // Places that are counted from the other end are elsewhere for every size.
    guard step > 0, start ?? 0 >= 0, end ?? -1 < 0 else {
      return .whole(
        reason: "a slice counts places from the other end of the image",
        size: start == nil && end == nil ? .input(0, times: ratio) : .unrelated)
    }
    let (start, step) = (start ?? 0, step)
    return .window(
      ReceptiveWindow(ratio: ratio) { input in
        let first = max(input.lowerBound - start, 0).dividedRoundingUp(by: step)
        let last = (input.upperBound - 1 - start).dividedRoundingDown(by: step)
        return first..<max(last + 1, first)
      })
  }
  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
