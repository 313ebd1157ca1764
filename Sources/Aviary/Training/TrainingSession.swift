internal import AviaryCheckpoint
public import AviaryCompute
public import AviaryGraph
public import AviaryTraining

/// A training as described by a recipe: from a folder of images to a checkpoint, with everything
/// that is saved and shown along the way, in the run folder (see `RunFolder`).
///
/// Everything that can be wrong with a recipe, its files and folders is found when the session is
/// made, before any time is spent and anything is written. A training that is interrupted or killed
/// resumes from its last checkpoint and reaches exactly the weights that it would have reached
/// without the interruption; if that is impossible, it says why.
public final class TrainingSession {
  /// The recipe.
  public let recipe: Recipe
  /// The run folder.
  public let folder: RunFolder
  /// The network that is trained.
  public let network: Network
  /// The training data.
  public let data: TrainingSet
  var trainer: Trainer
  let validation: Validation?
  let communicator: any Communicator
  let observer: (Event) -> Void
  let rates: Rates
  /// The seconds of training before this process.
  let earlierSeconds: Double
  /// The progress of this training, as stored in checkpoints.
  var progress: TrainingProgress
  /// The model card, without what changes during training.
  let card: Card
  /// The figures of the last validation.
  var quality: Card.Quality?
  /// The folder's lock and logs, while the session runs.
  var opened: OpenFolder?
  /// The time and the step of the last checkpoint.
  var saved: (time: ContinuousClock.Instant, step: Int)

  /// The learning rates of the network and of its discriminator, by step.
  struct Rates {
    let network: LearningRate
    let discriminator: LearningRate?

    init(_ recipe: Recipe) throws {
      network = try LearningRate(
        recipe.schedule, rate: recipe.optimizer.learningRate, steps: recipe.steps)
      discriminator = try recipe.adversarial.map { adversary throws in
        try LearningRate(
          recipe.schedule, rate: adversary.optimizer.learningRate, steps: recipe.steps)
      }
    }
  }

  /// Prepares a training: checks the recipe, reads the images, plans the network, its losses and
  /// its discriminator.
  ///
  /// - Parameters:
  ///   - zoo: the architectures, and the checkpoints found by name.
  ///   - checkpoint: a checkpoint of an unfinished training to resume from; nil for a new training.
  ///   - communicator: the processes that train together; only rank 0 validates, logs and saves.
  ///   - tuning: the autotuner to choose kernels with; nil to choose by estimate. A resumed
  ///     training keeps the choices that it began with.
  ///   - observer: called with events.
  /// - Throws: `TrainingError` for errors in the recipe, its data or the folder; `RegistryError`,
  ///   `GraphError` and `AviaryError` for an architecture, configuration or checkpoint that does
  ///   not fit; `CheckpointError` and `ImageError` for files; `ComputeError` for a network that
  ///   cannot be planned.
  public init(
    _ recipe: Recipe, zoo: Zoo = Zoo(), resuming checkpoint: String? = nil,
    communicator: any Communicator = OneProcess(), tuning: Tuning? = nil,
    observer: @escaping (Event) -> Void = { _ in }
  ) throws {
    try recipe.check()
    (self.recipe, self.communicator, self.observer) = (recipe, communicator, observer)
    folder = RunFolder(recipe.saving.folder)
    let target = try RecipeNetwork(recipe, registry: zoo.registry)
    network = target.network
    let resumed = try ResumePoint.found(checkpoint, recipe, target.network, folder)
    // A resumed training keeps its number of threads unless it is stated.
    let engine = try Engine(threads: recipe.threads ?? resumed?.progress.threads)
    validation = try Validation(recipe, scale: target.scale, threads: engine.threads)
    let start = try InitialState(recipe, target.network.graph, zoo, resumed, engine)
    rates = try Rates(recipe)
    let share = try recipe.batch.share(ofProcesses: communicator.size)
    data = try TrainingSet(
      recipe.data, recipe.batch, picture: target.network.picture, geometry: target.geometry,
      seed: recipe.seed)
    let trainer = try TrainingSession.trainer(
      recipe, target, start, batch: share, zoo, resumed?.progress, tuning, communicator, engine)
    progress = TrainingProgress(
      of: trainer, recipe, data, after: resumed?.progress, threads: engine.threads,
      processes: communicator.size)
    earlierSeconds = progress.seconds
    saved = (.now, progress.step)
    let differences = resumed?.differences(recipe, progress) ?? []
    card = Card(
      recipe, data, provenance: resumed?.card.provenance ?? start.provenance,
      notes: resumed?.card.notes ?? [], resumedAt: progress.step, differences)
    self.trainer = trainer
    for image in data.skipped { tell("\(image.name): left out: \(image.reason)") }
    start.messages.forEach(tell)
    if resumed != nil { tell(ResumePoint.report(step: progress.step, differences)) }
  }

  /// Steps done, including those before an interruption.
  public var step: Int { trainer.stepCount }

  /// Sends a one-line message for the user.
  func tell(_ line: String) { observer(.message(line)) }

  /// Plans the network with its losses and its optimizer, alike in all processes.
  ///
  /// - Parameter share: how many pairs this process is given at once.
  private static func trainer(
    _ recipe: Recipe, _ target: RecipeNetwork, _ start: InitialState, batch share: Int, _ zoo: Zoo,
    _ progress: TrainingProgress?, _ tuning: Tuning?, _ communicator: any Communicator,
    _ engine: Engine
  ) throws -> Trainer {
    let graph = target.network.graph
    let losses = try CombinedLoss(recipe.losses, picture: target.network.picture, engine: engine) {
      try FeatureNetwork($0, zoo)
    }
    var parameters = start.parameters
    try communicator.broadcast(
      &parameters, graph.parameters.filter { $0.role != .nonPersistent }.map(\.name))
    let batchShape = [share, graph.inputs[0].channels, recipe.batch.patch, recipe.batch.patch]
    var settings = Trainer.Settings()
    settings.output = target.geometry.output
    settings.clipNorm = recipe.clipNorm
    settings.parts = recipe.batch.accumulation
    settings.seed = recipe.seed
    settings.options = PlanOptions(precision: recipe.precision)
    settings.options.runsAhead = recipe.steps * recipe.batch.accumulation
    try settings.options.decide(
      graph, batchShape, output: settings.output, progress, tuning, communicator, engine)
    return try Trainer(
      graph, batchShape: batchShape, parameters: parameters, losses: losses,
      optimizer: start.optimizer, average: start.average, adversary: start.adversary,
      settings: settings, communicator: communicator, engine: engine)
  }
}

extension TrainingProgress {
  /// The progress of a training in this process; earlier counts are carried over.
  fileprivate init(
    of trainer: borrowing Trainer, _ recipe: Recipe, _ data: TrainingSet,
    after earlier: TrainingProgress?, threads: Int, processes: Int
  ) {
    self.init(
      step: trainer.stepCount, recipe: recipe.yaml, seed: recipe.seed,
      dataFingerprint: data.fingerprint, program: Aviary.versionLine, threads: threads,
      algorithms: trainer.planSteps.map {
        .init(layer: $0.name, implementation: "\($0.operation): \($0.implementation)")
      },
      best: earlier?.best, seconds: earlier?.seconds ?? 0, samples: earlier?.samples ?? 0,
      processes: processes)
    choices = trainer.planChoices.map { .init($0) }
  }
}

extension Card {
  /// The model card of the training, without what changes during training.
  fileprivate init(
    _ recipe: Recipe, _ data: TrainingSet, provenance: [Provenance], notes: [String],
    resumedAt step: Int, _ differences: [String]
  ) {
    self.init()
    self.provenance = provenance
    self.notes = notes
    if !differences.isEmpty {
      self.notes.append(
        "Training resumed at step \(step): " + differences.joined(separator: "; "))
    }
    // Only the folder's name: its location concerns nobody else.
    let source = recipe.data.targets.split(separator: "/").last.map(String.init) ?? "images"
    trainingData = "\(data.imageCount) images of \(source)"
  }
}
