public import AviaryCompute
public import AviaryGraph

/// How to time a network.
public struct BenchmarkOptions: Sendable {
  /// The height and width of the images; nil for 256x256, the nearest larger size that the network
  /// accepts, or its fixed size.
  public var size: Size?
  /// Images per batch.
  public var batch: Int
  /// The number of timed runs, after `warmUps` untimed ones.
  public var runs: Int
  /// Threads; nil for one per core that the process may use.
  public var threads: Int?
  /// How the network is computed.
  public var plan: PlanOptions
  /// Whether to time training steps: forward and backward pass, without loss and optimizer.
  public var isTraining: Bool
  /// Whether to measure the processor's peak as well, which takes about half a second.
  public var measuresPeak: Bool

  /// Untimed runs, while caches and the processor's clock settle.
  public static let warmUps = 3

  /// By default one image of the usual size, nine runs in float32, on all cores.
  public init(
    size: Size? = nil, batch: Int = 1, runs: Int = 9, threads: Int? = nil,
    plan: PlanOptions = PlanOptions(), isTraining: Bool = false, measuresPeak: Bool = true
  ) {
    (self.size, self.batch, self.runs, self.threads) = (size, batch, runs, threads)
    (self.plan, self.isTraining, self.measuresPeak) = (plan, isTraining, measuresPeak)
  }

  /// The narrowest data type that the network's convolutions multiply: `float32`, `bfloat16`,
  /// `int8`.
  public var numbers: String { plan.quantization == nil ? plan.precision.rawValue : "int8" }

  /// The shapes of a network's inputs: N, channels, height, width.
  func inputShapes(_ graph: Graph) -> [[Int]] {
    let rule = graph.sizeRule()
    // The smallest larger size that the network accepts; a size stated by the user is used
    // unchanged.
    let least = max(BenchmarkOptions.usualSide, rule.minimum)
    let side = (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
    let common = size ?? graph.inputs[0].size ?? Size(side)
    return graph.inputs.map { input in
      // Unless stated otherwise, an input of fixed size keeps it, whatever size the first input
      // has.
      let own = size ?? input.size ?? common
      return [batch, input.channels, own.height, own.width]
    }
  }

  private static let usualSide = 256
}
