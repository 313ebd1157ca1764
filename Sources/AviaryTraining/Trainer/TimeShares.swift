/// What the wall time of a training was spent on, in seconds.
public struct TimeShares: Hashable, Sendable {
  /// The network, forward and back.
  public var compute = 0.0
  /// Waiting for batches that are not ready.
  public var waiting = 0.0
  /// Losses, the optimiser, logs, validations, checkpoints.
  public var rest = 0.0

  /// No time yet.
  public init() {}

  /// All of it.
  public var total: Double { compute + waiting + rest }

  /// The share of a part in all, 0 to 1.
  public func share(_ part: KeyPath<TimeShares, Double>) -> Double {
    total > 0 ? self[keyPath: part] / total : 0
  }
}
