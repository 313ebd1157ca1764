/// exp(x) / Σ exp(x) along a dimension, or the logarithm of it.
public struct Softmax: Hashable, Sendable {
  /// The dimension.
  public var dimension: Int
  /// Whether the result is the logarithm: x - log Σ exp(x).
  public var logarithm: Bool

  /// Softmax over the channels unless stated.
  public init(dimension: Int = 1, logarithm: Bool = false) {
    (self.dimension, self.logarithm) = (dimension, logarithm)
  }
}

extension Softmax: Operation {
  package static let names = ["softmax", "logSoftmax"]
  package var name: String { logarithm ? "logSoftmax" : "softmax" }
  package var op: Op { .softmax(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(dimension: try a.int("dimension", default: 1), logarithm: name == "logSoftmax")
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
      ? .whole(reason: "\(name) over the whole image", size: .same) : .pointwise
  }
  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
