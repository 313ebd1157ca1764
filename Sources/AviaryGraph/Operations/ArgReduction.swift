/// The place of the largest or the smallest element along a dimension, the first of several, as a
/// float32 number that holds an integer. NaN counts as the largest and as the smallest, as in PyTorch.
public struct ArgReduction: Hashable, Sendable {
  /// Which element is looked for.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// The largest.
    case argmax
    /// The smallest.
    case argmin
  }

  /// Which element is looked for.
  public var kind: Kind
  /// The dimension that goes.
  public var dimension: Int
  /// Whether it stays, with size 1.
  public var keepsDimensions: Bool

  /// A search along a dimension, which stays with size 1 unless stated.
  public init(_ kind: Kind, dimension: Int, keepsDimensions: Bool = true) {
    (self.kind, self.dimension, self.keepsDimensions) = (kind, dimension, keepsDimensions)
  }
}

extension ArgReduction: Operation {
  package static let names = Kind.allCases.map(\.rawValue)
  package var name: String { kind.rawValue }
  package var op: Op { .argReduction(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      Kind(rawValue: name) ?? .argmax, dimension: try a.int("dimension"),
      keepsDimensions: try a.bool("keepsDimensions", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("dimension", .int(dimension), nil), ("keepsDimensions", .bool(keepsDimensions), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectIndexed(dimension, shape)
    if keepsDimensions { shape[dimension] = 1 } else { shape.remove(at: dimension) }
    return shape
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension >= 2 || !keepsDimensions
      ? .whole(reason: "\(name) looks at the whole of dimension \(dimension)", size: .unrelated)
      : .pointwise
  }

  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    guard given != dimension else { return nil }
    return keepsDimensions || given < dimension ? given : given - 1
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
