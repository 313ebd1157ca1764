public import AviaryCompute
public import AviaryGraph

/// How a network is to be timed.
public struct BenchmarkOptions: Sendable {
  /// The pictures' height and width; nil for 256x256, or the nearest larger size that the network
  /// takes, or the one size that it is for.
  public var size: Size?
  /// Pictures computed at a time.
  public var batch: Int
  /// How many runs are timed, after `warmUps` that are not.
  public var runs: Int
  /// Threads; nil for as many as the cores that the process may use.
  public var threads: Int?
  /// How the network is computed.
  public var plan: PlanOptions
  /// Whether steps of a training are timed: forward and back, without loss and optimiser.
  public var isTraining: Bool
  /// Whether the processor's peak is measured, too, which takes about half a second.
  public var measuresPeak: Bool

  /// Runs that do not count: caches and the processor's clock settle.
  public static let warmUps = 3

  /// One picture of the usual size, nine runs in float32, all cores, unless stated.
  public init(
    size: Size? = nil, batch: Int = 1, runs: Int = 9, threads: Int? = nil,
    plan: PlanOptions = PlanOptions(), isTraining: Bool = false, measuresPeak: Bool = true
  ) {
    (self.size, self.batch, self.runs, self.threads) = (size, batch, runs, threads)
    (self.plan, self.isTraining, self.measuresPeak) = (plan, isTraining, measuresPeak)
  }

  /// What the network's convolutions multiply, the narrowest of it: `float32`, `bfloat16`, `int8`.
  public var numbers: String { plan.quantization == nil ? plan.precision.rawValue : "int8" }

  /// The shapes of a network's inputs: N, channels, height, width.
  func inputShapes(_ graph: Graph) -> [[Int]] {
    let rule = graph.sizeRule()
    // The least size above that the network takes; what the user states is taken as it is.
    let least = max(BenchmarkOptions.usualSide, rule.minimum)
    let side = (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
    let common = size ?? graph.inputs[0].size ?? Size(side)
    return graph.inputs.map { input in
      // An input of one size keeps it where nothing else is stated, whatever the first one has.
      let own = size ?? input.size ?? common
      return [batch, input.channels, own.height, own.width]
    }
  }

  private static let usualSide = 256
}
