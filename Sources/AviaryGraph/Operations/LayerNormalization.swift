/// Normalisation over the last dimensions, with learned weight and bias.
public struct LayerNormalization: Hashable, Sendable {
  /// How many of the last dimensions are normalised over.
  public var dimensions: Int
  /// Added to the variance.
  public var epsilon: Double

  /// PyTorch's epsilon, and the last dimension, unless stated.
  public init(dimensions: Int = 1, epsilon: Double = 1e-5) {
    (self.dimensions, self.epsilon) = (dimensions, epsilon)
  }
}

extension LayerNormalization: Operation {
  package static let names = ["layerNormalization"]
  package var name: String { "layerNormalization" }
  package var op: Op { .layerNormalization(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      dimensions: try a.int("dimensions", default: 1),
      epsilon: try a.number("epsilon", default: 1e-5))
  }
  package var attributes: [String: JSON] {
    Attributes.members(("dimensions", .int(dimensions), 1), ("epsilon", .number(epsilon), 1e-5))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimensions", dimensions, 1...GraphLimits.rank)
    try check("epsilon", epsilon, positive: true)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.expectRank(dimensions + 1, inputs[0])
    return inputs[0]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole picture", size: .same)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension < inputs[0].count - dimensions ? dimension : nil
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    let shape = Array(inputs[0].suffix(dimensions))
    return [
      ParameterSlot(suffix: "weight", shape: shape, start: 1),
      ParameterSlot(suffix: "bias", shape: shape, start: 0),
    ]
  }
}
