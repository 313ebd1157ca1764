/// y = x W^T + b over the last dimension. Weight (out, in), bias (out).
public struct Linear: Hashable, Sendable {
  /// The size of the last dimension afterwards.
  public var outFeatures: Int
  /// Whether a learned number is added to each of them.
  public var bias: Bool

  /// A matrix product with learned weights, and a bias unless stated.
  public init(outFeatures: Int, bias: Bool = true) {
    (self.outFeatures, self.bias) = (outFeatures, bias)
  }
}

extension Linear: Operation {
  package static let names = ["linear"]
  package var name: String { "linear" }
  package var op: Op { .linear(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      outFeatures: try a.int("outFeatures", was: "features"),
      bias: try a.bool("bias", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(("outFeatures", .int(outFeatures), nil), ("bias", .bool(bias), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("outFeatures", outFeatures, AttributeCheck.channels)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    guard let last = inputs[0].last, last > 0 else {
      throw .rank(expected: "at least 1 dimension", found: inputs[0])
    }
    return inputs[0].dropLast() + [outFeatures]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole image", size: .unrelated)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension < inputs[0].count - 1 ? dimension : nil
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    Self.elements(inputs[0]) * Double(outFeatures)
  }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    [ParameterSlot(suffix: "weight", shape: [outFeatures, inputs[0][inputs[0].count - 1]])]
      + ParameterSlot.bias(outFeatures, if: bias)
  }

  package var parameterDimensions: [String] { ["output features", "input features"] }
}

extension Value {
  /// A matrix product over the last dimension.
  public func linear(_ name: String, _ outFeatures: Int, bias: Bool = true) -> Value {
    builder.add(.linear(Linear(outFeatures: outFeatures, bias: bias)), layer: name, [self])
  }
}
