internal import AviaryTensor

/// A discriminator that is trained alongside the network, and the weight of its loss.
public struct Adversary {
  /// Tells results from targets.
  public var discriminator: Discriminator
  /// Its optimizer.
  public var optimizer: Optimizer
  /// The weight of its loss relative to the others.
  public let weight: Double
  /// The number of steps after which it takes effect and is trained.
  public let start: Int
  private var gradients = GradientSum()

  /// A discriminator with its own optimizer.
  public init(_ discriminator: Discriminator, _ optimizer: Optimizer, weight: Double, start: Int) {
    (self.discriminator, self.optimizer) = (discriminator, optimizer)
    (self.weight, self.start) = (weight, start)
  }

  /// Prepares for results of a shape, even if it takes effect much later.
  mutating func prepare(for shape: [Int]) throws { try discriminator.prepare(for: shape) }

  /// Trains on a part of a batch; the parameters are updated with the last part.
  ///
  /// - Throws: `TrainingError.notFinite` for a gradient that is not finite, in which case no step
  ///   is taken; errors from the discriminator and the optimizer.
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
    // Otherwise a checkpoint might be written before the next step's loss reveals the problem.
    let norm = GradientNorm.of(mean)
    guard norm.isFinite else {
      throw TrainingError.notFinite(
        "step \(optimizer.stepCount + 1) of the discriminator: its gradient",
        expected: "finite numbers", found: norm.isNaN ? "no numbers" : "infinite ones")
    }
    try optimizer.step(&discriminator.parameters, gradients: mean, rate: rate)
  }
}
