internal import AviaryCheckpoint
internal import Aviary
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport
internal import AviaryTraining

/// A training as the peers time it: mean squared error, Adam at 1e-3, one batch again and again.
struct Training: ~Copyable {
  private var trainer: Trainer
  private let batch: Batch
  /// From graph and weights to the plan, code generated.
  let planningMilliseconds: Double

  /// Plans it.
  ///
  /// - Throws: `ComputeError`, `TrainingError`.
  init(_ subject: Subject, exact: Bool, engine: Engine) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let graph = subject.graph
    var settings = Trainer.Settings()
    settings.options = Measurement.options(exact: exact, subject.work)
    let learned = graph.parameters.filter { $0.role == .weight }
    trainer = try Trainer(
      graph, batchShape: subject.work.shape, parameters: subject.weights,
      losses: CombinedLoss(
        [LossRecipe(.l2)], picture: ImageSpec(channels: subject.work.shape[1]), engine: engine
      ) { recipe in
        throw TrainingError.training(
          "losses", expected: "no features", found: recipe.checkpoint)
      },
      optimizer: Optimizer(
        OptimizerRecipe(learningRate: 1e-3), parameters: learned.map { ($0.name, $0.shape) }),
      settings: settings, engine: engine)
    planningMilliseconds = (clock.now - start).milliseconds
    // Both networks give images of the size that they take.
    batch = Batch(input: subject.input, target: randomTensor(subject.work.shape, seed: 3))
  }

  /// Forward, back, and a step of the optimiser.
  mutating func step() throws { _ = try trainer.step([batch], rate: 1e-3) }
}
