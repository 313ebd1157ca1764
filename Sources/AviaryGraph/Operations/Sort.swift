/// The elements along a dimension in order, or the places where they were; of all, or of the first
/// few of that order (`topK`).
///
/// Equal elements stay in their order, and NaN counts as larger than everything, as in PyTorch.
/// Places are float32 numbers that hold integers. An operation has one value: values and places are
/// two nodes, of which the places have no gradient.
public struct Sort: Hashable, Sendable {
  /// Which of the two results is given.
  public enum Part: String, CaseIterable, Hashable, Sendable {
    /// The elements.
    case values
    /// Where they were.
    case indices
  }

  /// The dimension that is put in order.
  public var dimension: Int
  /// Whether the largest come first.
  public var descending: Bool
  /// How many are given; nil for all.
  public var count: Int?
  /// Which of the two results is given.
  public var part: Part

  /// All elements, the smallest first unless stated.
  public init(dimension: Int, descending: Bool = false, part: Part = .values) {
    (self.dimension, self.descending, self.part) = (dimension, descending, part)
    count = nil
  }

  /// The first so many, the largest unless stated.
  public init(top count: Int, dimension: Int, largest: Bool = true, part: Part = .values) {
    (self.dimension, descending, self.count, self.part) = (dimension, largest, count, part)
  }
}

extension Sort: Operation {
  package static let names = ["sort", "topK"]
  package var name: String { count == nil ? "sort" : "topK" }
  package var op: Op { .sort(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    let dimension = try a.int("dimension")
    let part: Part = try a.word("part", default: .values)
    if name == "topK" {
      self.init(
        top: try a.int("count"), dimension: dimension,
        largest: try a.bool("largest", default: true), part: part)
    } else {
      self.init(
        dimension: dimension, descending: try a.bool("descending", default: false), part: part)
    }
  }

  package var attributes: [String: JSON] {
    let order: (String, JSON, JSON?) =
      count == nil
      ? ("descending", .bool(descending), false) : ("largest", .bool(descending), true)
    let members = Attributes.members(
      ("dimension", .int(dimension), nil), order,
      ("part", .string(part.rawValue), .string(Part.values.rawValue)))
    return count.map { members.merging(["count": .int($0)]) { $1 } } ?? members
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
    if let count { try check("count", count, 1...(1 << 24)) }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectIndexed(dimension, shape)
    if let count {
      guard count <= shape[dimension] else {
        throw .expected(
          "at least \(count) elements along dimension \(dimension)", found: "\(shape[dimension])")
      }
      shape[dimension] = count
    }
    return shape
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension >= 2
      ? .whole(
        reason: "\(name) looks at the whole of dimension \(dimension)",
        size: count == nil ? .same : .unrelated)
      : .pointwise
  }

  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
