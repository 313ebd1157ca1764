/// Group normalisation of every channel by itself (Ulyanov et al., "Instance Normalization", 2016),
/// by the statistics of each image, as PyTorch's `InstanceNorm2d` without running statistics and
/// ONNX's `InstanceNormalization`.
public struct InstanceNormalization: Hashable, Sendable {
  /// Added to the variance.
  public var epsilon: Double
  /// Whether each channel has a learned weight and bias.
  public var affine: Bool

  /// PyTorch's epsilon unless stated.
  public init(epsilon: Double = 1e-5, affine: Bool = true) {
    (self.epsilon, self.affine) = (epsilon, affine)
  }
}

extension InstanceNormalization: Expansion {
  package static let names = ["instanceNormalization"]
  package var name: String { "instanceNormalization" }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      epsilon: try a.number("epsilon", default: 1e-5),
      affine: try a.bool("affine", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(("epsilon", .number(epsilon), 1e-5), ("affine", .bool(affine), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("epsilon", epsilon, positive: true)
  }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    let channels = [inputs[0][1]]
    return affine
      ? [
        ParameterSlot(suffix: "weight", shape: channels, start: 1),
        ParameterSlot(suffix: "bias", shape: channels, start: 0),
      ] : []
  }

  package func expand(_ inputs: [Value], _ parameters: [String]) -> Value {
    let group = GroupNormalization(
      groups: inputs[0].channels, epsilon: epsilon, scale: affine, center: affine)
    return inputs[0].applying(.groupNormalization(group), parameters: parameters)
  }
}

extension Value {
  /// Instance normalisation, by the statistics of each image.
  public func instanceNormalization(
    _ name: String, _ normalization: InstanceNormalization = InstanceNormalization()
  ) -> Value {
    builder.add(normalization.op, layer: name, [self])
  }
}
