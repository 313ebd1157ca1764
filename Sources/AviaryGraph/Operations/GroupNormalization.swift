/// (x - mean) / sqrt(variance + epsilon) · weight + bias, where mean and variance are those of a
/// group of channels of one image (Wu and He, "Group Normalization", 2018). Weight and bias are per
/// channel.
public struct GroupNormalization: Hashable, Sendable {
  /// Into how many groups of neighbours the channels are divided.
  public var groups: Int
  /// Added to the variance: 1e-5 in PyTorch, 1e-3 in Keras.
  public var epsilon: Double
  /// Whether there is a learned weight (Keras: `scale`, gamma).
  public var scale: Bool
  /// Whether there is a learned bias (Keras: `center`, beta).
  public var center: Bool

  /// PyTorch's defaults.
  public init(groups: Int, epsilon: Double = 1e-5, scale: Bool = true, center: Bool = true) {
    (self.groups, self.epsilon, self.scale, self.center) = (groups, epsilon, scale, center)
  }
}

extension GroupNormalization: Operation {
  package static let names = ["groupNormalization"]
  package var name: String { "groupNormalization" }
  package var op: Op { .groupNormalization(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      groups: try a.int("groups"), epsilon: try a.number("epsilon", default: 1e-5),
      scale: try a.bool("scale", default: true), center: try a.bool("center", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("groups", .int(groups), nil), ("epsilon", .number(epsilon), 1e-5),
      ("scale", .bool(scale), true), ("center", .bool(center), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("groups", groups, AttributeCheck.channels)
    try check("epsilon", epsilon, positive: true)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectRank(2, input)
    guard input[1] % groups == 0 else {
      throw .notDivisible("channels", value: input[1], by: groups)
    }
    return input
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the mean of the whole image", size: .same)
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    let channels = [inputs[0][1]]
    return (scale ? [ParameterSlot(suffix: "weight", shape: channels, start: 1)] : [])
      + (center ? [ParameterSlot(suffix: "bias", shape: channels, start: 0)] : [])
  }
}

extension Value {
  /// Group normalisation, by the statistics of each image.
  public func groupNormalization(_ name: String, _ normalization: GroupNormalization) -> Value {
    builder.add(.groupNormalization(normalization), layer: name, [self])
  }
}
