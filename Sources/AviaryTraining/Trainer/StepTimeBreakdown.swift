/// How the wall time of a training was spent, in seconds.
public struct StepTimeBreakdown: Hashable, Sendable {
  /// The network's forward and backward pass.
  public var compute = 0.0
  /// Waiting for batches.
  public var waiting = 0.0
  /// Losses, the optimizer, the moving average.
  public var updating = 0.0
  /// Between steps: logs, validation, checkpoints.
  public var rest = 0.0

  /// No time yet.
  public init() {}

  /// The total time.
  public var total: Double { compute + waiting + updating + rest }

  /// How the time of the steps was spent, in words.
  public var text: String {
    let steps = compute + waiting + updating
    func percent(_ seconds: Double) -> String {
      // Integer tenths, so that no formatter from Foundation is needed.
      let tenths = steps > 0 ? Int((seconds / steps * 1_000).rounded()) : 0
      return "\(tenths / 10).\(tenths % 10) %"
    }
    return "steps were \(percent(compute)) network, \(percent(updating)) losses and optimiser, "
      + "\(percent(waiting)) waiting for pictures"
  }

  /// The share of a part in the total, 0 to 1.
  public func share(_ part: KeyPath<StepTimeBreakdown, Double>) -> Double {
    total > 0 ? self[keyPath: part] / total : 0
  }
}
