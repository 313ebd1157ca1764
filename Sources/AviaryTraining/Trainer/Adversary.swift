internal import AviaryTensor

/// A discriminator that learns beside the network, and how much its opinion counts.
public struct Adversary {
  /// Tells results from targets.
  public var discriminator: Discriminator
  /// How it learns.
  public var optimizer: Optimizer
  /// How much its loss counts beside the others.
  public let weight: Double
  /// The number of steps after which it begins to count, and to learn.
  public let start: Int
  private var gradients = GradientSum()

  /// A discriminator with an optimiser of its own.
  public init(_ discriminator: Discriminator, _ optimizer: Optimizer, weight: Double, start: Int) {
    (self.discriminator, self.optimizer) = (discriminator, optimizer)
    (self.weight, self.start) = (weight, start)
  }

  /// Gets ready for results of a shape, also where it is to begin much later.
  mutating func prepare(for shape: [Int]) throws { try discriminator.prepare(for: shape) }

  /// Learns from a part of a batch; the parameters change with the last part.
  ///
  /// - Throws: `TrainingError.notFinite` for a gradient that is not finite: the step is not taken. What
  ///   the discriminator and the optimiser throw.
  mutating func learn(
    _ result: Tensor, _ target: Tensor, isLastPart: Bool, rate: Double,
    _ communicator: any Communicator
  ) throws {
    var found: [String: Tensor] = [:]
    _ = try discriminator.learn(result, target) { found = $1 }
    try gradients.add(found)
    guard isLastPart else { return }
    var mean = gradients.mean()
    try communicator.average(&mean, mean.keys.sorted())
    // Else a checkpoint might be written of it before the next step's loss shows what happened.
    let norm = GradientNorm.of(mean)
    guard norm.isFinite else {
      throw TrainingError.notFinite(
        "step \(optimizer.stepCount + 1) of the discriminator: its gradient",
        expected: "finite numbers", found: norm.isNaN ? "no numbers" : "infinite ones")
    }
    try optimizer.step(&discriminator.parameters, gradients: mean, rate: rate)
  }
}
