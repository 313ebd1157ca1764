/// exp(x) / Σ exp(x) along a dimension.
public struct Softmax: Hashable, Sendable {
  /// The dimension.
  public var dimension: Int

  /// Softmax over the channels unless stated.
  public init(dimension: Int = 1) { self.dimension = dimension }
}

extension Softmax: Operation {
  package static let names = ["softmax"]
  package var name: String { "softmax" }
  package var op: Op { .softmax(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(dimension: try a.int("dimension", default: 1))
  }
  package var attributes: [String: JSON] {
    Attributes.members(("dimension", .int(dimension), 1))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.expectRank(dimension + 1, inputs[0])
    return inputs[0]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension >= 2
      ? .whole(reason: "softmax over the whole picture", size: .same) : .pointwise
  }
  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
