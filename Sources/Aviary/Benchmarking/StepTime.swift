/// What one step of a plan took.
public struct StepTime: Hashable, Sendable {
  /// The node of the graph for which it is done.
  public let name: String
  /// What is done: `convolution (winograd)`, `relayout`.
  public let operation: String
  /// Who does it: the name of oneDNN's implementation, or `aviary` for the engine's own loops.
  public let implementation: String
  /// The shape of the node's result.
  public let shape: [Int]
  /// The times, each step waiting for the one before.
  public let times: TimedRuns
  /// The node's multiplications and additions, counted as one, of all pictures of the batch; nil for
  /// a step that is not the longest of its node's, and for nodes that multiply nothing.
  public let multiplyAdds: Double?
  /// What all steps of the node took together, in milliseconds: what `multiplyAdds` are held against.
  public let nodeMilliseconds: Double

  /// Multiply-adds a second in 10^9, by the node's median; nil where there are none.
  public var rate: Double? { multiplyAdds.map { $0 / nodeMilliseconds / 1e6 } }
}
