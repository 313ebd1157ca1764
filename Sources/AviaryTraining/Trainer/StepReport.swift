/// The results of one training step.
public struct StepReport: Hashable, Sendable {
  /// The loss: the weighted sum of its parts, averaged over all processes.
  public var loss: Double
  /// The unweighted parts by name, in the recipe's order.
  public var parts: [LossPart]
  /// The learning rate.
  public var rate: Double
  /// The Euclidean norm of the gradient over all parameters, before clipping.
  public var gradientNorm: Double
  /// Seconds spent in the network's forward and backward pass.
  public var compute: Double
  /// Whether any process wants to stop.
  public var isLast: Bool
}
