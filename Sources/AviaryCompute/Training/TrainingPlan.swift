public import AviaryGraph
public import AviaryTensor

/// A network ready to be trained on batches of one size: forward, and back again.
///
/// Batch normalisation is by the batch's own statistics, and dropout drops. Made once and run many
/// times, by one thread at a time.
public struct TrainingPlan: ~Copyable {
  /// What gradients are wanted of.
  public struct Wanted: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int
    /// A set of these.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// All parameters that are learned: those of role `weight`.
    public static let parameters = Wanted(rawValue: 1)
    /// All inputs.
    public static let inputs = Wanted(rawValue: 2)
  }

  /// Derivatives of the loss.
  public struct Gradients: Sendable {
    /// By the parameters' names, in their shapes (PyTorch's layout).
    public var parameters: [String: Tensor]
    /// By the inputs' names.
    public var inputs: [String: Tensor]
  }

  /// Plans a network for training.
  ///
  /// - Parameters:
  ///   - inputShapes: N, channels, height, width of each of the graph's inputs.
  ///   - outputs: the outputs wanted; nil for all. Names of nodes serve too: any node's value may be
  ///     asked for, as perceptual losses do.
  ///   - wanted: what gradients are wanted of.
  /// - Throws: `ComputeError`, as `Plan.init`; `.unsupported` for an operation without a gradient.
  public init(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    gradientsOf wanted: Wanted = .parameters, options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) {
    throw .unsupported(node: "", operation: "training")
  }

  /// What is done, in order, for reports and for the record that resuming compares.
  public var steps: [PlanStep] { [] }

  /// The shapes of the outputs, by name.
  public var outputShapes: [String: [Int]] { [:] }

  /// Runs the network forward, and keeps what the way back needs.
  ///
  /// - Parameters:
  ///   - inputs: float32, by the names of the graph's inputs.
  ///   - parameters: all parameters by name, float32; read now, not kept.
  ///   - seed: of what dropout drops.
  /// - Returns: the outputs by name, and new values of the running statistics by the parameters'
  ///   names.
  public mutating func forward(
    _ inputs: [String: Tensor], parameters: [String: Tensor], seed: UInt64 = 0
  ) throws(ComputeError) -> (outputs: [String: Tensor], statistics: [String: Tensor]) {
    ([:], [:])
  }

  /// Runs back from the last `forward`.
  ///
  /// - Parameter gradients: the derivatives of the loss by each of the outputs, by name.
  public mutating func backward(
    _ gradients: [String: Tensor]
  ) throws(ComputeError) -> Gradients {
    Gradients(parameters: [:], inputs: [:])
  }
}
