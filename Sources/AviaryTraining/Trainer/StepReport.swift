/// What one step of a training was.
public struct StepReport: Hashable, Sendable {
  /// The loss: the sum of its parts, each times its weight; over all processes.
  public var loss: Double
  /// The parts by name, not weighted, in the recipe's order.
  public var parts: [LossPart]
  /// The learning rate.
  public var rate: Double
  /// The Euclidean norm of the gradient over all parameters, before it was shortened.
  public var gradientNorm: Double
  /// Seconds spent in the network, forward and back.
  public var compute: Double
  /// Whether any process wishes to stop.
  public var isLast: Bool
}
