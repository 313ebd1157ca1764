/// The time of one step of a plan.
public struct StepTime: Hashable, Sendable {
  /// The graph node that the step belongs to.
  public let name: String
  /// The operation: `convolution (winograd)`, `relayout`.
  public let operation: String
  /// The implementation: oneDNN's name for it, or `aviary` for the engine's own loops.
  public let implementation: String
  /// The shape of the node's result.
  public let shape: [Int]
  /// The times; each step waits for the one before.
  public let times: TimedRuns
  /// The node's multiply-adds, for all images in the batch; nil for steps that are not the node's
  /// longest, and for nodes without multiplications.
  public let multiplyAdds: Double?
  /// The total time of all steps of the node in milliseconds, to relate `multiplyAdds` to.
  public let nodeMilliseconds: Double

  /// Multiply-adds a second in 10^9, by the node's median; nil where there are none.
  public var rate: Double? { multiplyAdds.map { $0 / nodeMilliseconds / 1e6 } }
}
