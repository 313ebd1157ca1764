/// What the wall time of a training was spent on, in seconds.
public struct TimeShares: Hashable, Sendable {
  /// The network, forward and back.
  public var compute = 0.0
  /// Waiting for batches that are not ready.
  public var waiting = 0.0
  /// Losses, the optimiser, the average.
  public var updating = 0.0
  /// What is between steps: logs, validations, checkpoints.
  public var rest = 0.0

  /// No time yet.
  public init() {}

  /// All of it.
  public var total: Double { compute + waiting + updating + rest }

  /// What steps were spent on, in words.
  public var text: String {
    let steps = compute + waiting + updating
    func percent(_ seconds: Double) -> String {
      // Tenths, by whole numbers: no formatter of Foundation's is needed.
      let tenths = steps > 0 ? Int((seconds / steps * 1_000).rounded()) : 0
      return "\(tenths / 10).\(tenths % 10) %"
    }
    return "steps were \(percent(compute)) network, \(percent(updating)) losses and optimiser, "
      + "\(percent(waiting)) waiting for pictures"
  }

  /// The share of a part in all, 0 to 1.
  public func share(_ part: KeyPath<TimeShares, Double>) -> Double {
    total > 0 ? self[keyPath: part] / total : 0
  }
}
