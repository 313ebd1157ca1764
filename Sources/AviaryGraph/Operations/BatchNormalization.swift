/// (x - mean) / sqrt(variance + epsilon) · weight + bias, per channel, by running statistics.
public struct BatchNormalization: Hashable, Sendable {
  /// Added to the variance: 1e-5 in PyTorch, 1e-3 in Keras.
  public var epsilon: Double
  /// How far each training step moves the running statistics: PyTorch's meaning (Keras states
  /// one minus it).
  public var momentum: Double
  /// Whether there is a learned weight (Keras: `scale`, gamma).
  public var scale: Bool
  /// Whether there is a learned bias (Keras: `center`, beta).
  public var center: Bool

  /// PyTorch's defaults.
  public init(
    epsilon: Double = 1e-5, momentum: Double = 0.1, scale: Bool = true, center: Bool = true
  ) {
    (self.epsilon, self.momentum, self.scale, self.center) = (epsilon, momentum, scale, center)
  }
}

extension BatchNormalization: Operation {
  package static let names = ["batchNormalization"]
  package var name: String { "batchNormalization" }
  package var op: Op { .batchNormalization(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      epsilon: try a.number("epsilon", default: 1e-5),
      momentum: try a.number("momentum", default: 0.1),
      scale: try a.bool("scale", default: true), center: try a.bool("center", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("epsilon", .number(epsilon), 1e-5), ("momentum", .number(momentum), 0.1),
      ("scale", .bool(scale), true), ("center", .bool(center), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("epsilon", epsilon, positive: true)
    try check("momentum", momentum)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.expectRank(2, inputs[0])
    return inputs[0]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    let channels = [inputs[0][1]]
    return (scale ? [ParameterSlot(suffix: "weight", shape: channels, start: 1)] : [])
      + (center ? [ParameterSlot(suffix: "bias", shape: channels, start: 0)] : [])
      + [
        ParameterSlot(suffix: "running_mean", shape: channels, role: .statistic, start: 0),
        ParameterSlot(suffix: "running_var", shape: channels, role: .statistic, start: 1),
        ParameterSlot(suffix: "num_batches_tracked", shape: [], role: .nonPersistent),
      ]
  }

  /// How training moves the statistics is no part of what the network computes.
  package var normalised: BatchNormalization {
    var normalised = self
    normalised.momentum = 0
    return normalised
  }
}

extension Value {
  /// Batch normalisation, by running statistics in inference.
  ///
  /// - Parameter shared: whether the parameters of an earlier layer of this name serve again.
  public func batchNormalization(
    _ name: String, _ normalization: BatchNormalization = BatchNormalization(),
    shared: Bool = false
  ) -> Value {
    builder.add(.batchNormalization(normalization), layer: name, shared: shared, [self])
  }
}
