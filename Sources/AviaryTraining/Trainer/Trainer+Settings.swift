public import AviaryCompute

extension Trainer {
  /// Settings of a trainer, apart from the network and the optimizer.
  public struct Settings: Hashable, Sendable {
    /// The index of the trained graph output.
    public var output = 0
    /// The maximum gradient norm; longer gradients are clipped to it; nil for none.
    public var clipNorm: Double?
    /// The number of parts that each process's share of a batch is split into.
    public var parts = 1
    /// The seed of dropout masks.
    public var seed: UInt64 = 1
    /// How the network is planned.
    public var options = PlanOptions()

    /// The defaults.
    public init() {}
  }
}
