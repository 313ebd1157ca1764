public import AviaryCompute

extension Trainer {
  /// How a trainer takes its steps, beside the network and the rule of its optimiser.
  public struct Settings: Hashable, Sendable {
    /// The position of the graph's output that is trained.
    public var output = 0
    /// Gradients longer than this are shortened to it; nil for none.
    public var clip: Double?
    /// Into how many parts each process's share of a batch is divided.
    public var parts = 1
    /// Where what dropout drops is drawn from.
    public var seed: UInt64 = 1
    /// How the network is calculated.
    public var options = PlanOptions()

    /// The defaults.
    public init() {}
  }
}
