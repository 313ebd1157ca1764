internal import AviaryCheckpoint
internal import AviaryFiles
public import AviaryCompute
public import AviaryGraph
internal import AviaryTensor
public import AviaryTraining

/// A training as a recipe says it: from a folder of pictures to a checkpoint, with everything that is
/// kept and shown on the way, in the folder of the run (see `RunFolder`).
///
/// Everything that can be wrong with a recipe, its files and folders is found when the run is made,
/// before any time is spent. A training that is interrupted, or killed, goes on from its last
/// checkpoint to the very weights that it would have reached without; where that cannot be, it says
/// why.
public struct TrainingRun: ~Copyable {
  /// What is trained, and how.
  public let recipe: Recipe
  /// Where everything is kept.
  public let folder: RunFolder
  /// The network that is trained.
  public let network: Network
  /// The pictures that are learned from.
  public let data: TrainingSet
  var trainer: Trainer
  let validation: Validation?
  let communicator: any Communicator
  let observer: (TrainingEvent) -> Void
  let threads: Int
  let rate: LearningRate
  let adversaryRate: LearningRate?
  /// How far this training is: what goes into checkpoints.
  var progress: TrainingProgress
  /// The card, but for what changes on the way.
  var card: Card
  /// The figures of the last validation.
  var quality: Card.Quality?
  /// Open while the run runs.
  var log: TrainingLog?
  /// Held while the run runs: two trainings in one folder would take each other's files.
  private var lock: FolderLock?
  private let lossNames: [String]
  /// When, by the clock and by steps, the last checkpoint was written.
  var saved: (time: ContinuousClock.Instant, step: Int)
  /// The seconds of training before this process.
  private let earlierSeconds: Double

  /// Prepares a training: checks the recipe, reads the pictures, plans the network.
  ///
  /// - Parameters:
  ///   - zoo: the architectures, and the checkpoints that are found by name.
  ///   - checkpoint: a checkpoint of an unfinished training to go on from; nil to begin.
  ///   - communicator: the processes that train together; rank 0 alone validates, logs and saves.
  ///   - tuning: what was measured, by which algorithms are chosen; nil to choose by estimate. A
  ///     training that is resumed goes on as it began, whatever was measured since.
  ///   - observer: is told what happens.
  /// - Throws: `TrainingError` for what is wrong with the recipe, its data or the folder;
  ///   `RegistryError`, `GraphError` and `AviaryError` for an architecture, configuration or checkpoint
  ///   that does not fit; `CheckpointError` and `ImageError` for files; `ComputeError` for a network
  ///   that cannot be planned.
  public init(
    _ recipe: Recipe, zoo: Zoo = Zoo(), resuming checkpoint: String? = nil,
    communicator: any Communicator = OneProcess(), tuning: Tuning? = nil,
    observer: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws {
    try recipe.check()
    let folder = RunFolder(recipe.saving.folder)
    let trainable = try TrainableNetwork(recipe, registry: zoo.registry)
    let network = trainable.network
    let resumed = try TrainingRun.resumed(checkpoint, recipe, network, folder)
    // A training goes on with the threads that it began with, unless they are stated.
    let engine = try Engine(threads: recipe.threads ?? resumed?.progress.threads)
    let validation = try Validation(recipe, scale: trainable.scale, threads: engine.threads)
    let start = try TrainingStart(recipe, network.graph, zoo, resumed, engine)
    let losses = try CombinedLoss(recipe.losses, picture: network.picture, engine: engine) {
      try TrainingStart.features($0, registry: zoo.registry)
    }
    let rate = try LearningRate(
      recipe.schedule, rate: recipe.optimizer.learningRate, steps: recipe.steps)
    let adversaryRate = try recipe.adversarial.map { adversary throws in
      try LearningRate(recipe.schedule, rate: adversary.optimizer.learningRate, steps: recipe.steps)
    }
    let share = try TrainingStart.batchShare(recipe, communicator)
    let data = try TrainingSet(
      recipe.data, recipe.batch, picture: network.picture, geometry: trainable.geometry,
      seed: recipe.seed)
    let side = recipe.batch.patch
    var parameters = start.parameters
    try communicator.broadcast(
      &parameters, network.graph.parameters.filter { $0.role != .bookkeeping }.map(\.name))
    let batchShape = [share, network.graph.inputs[0].channels, side, side]
    var settings = TrainingRun.settings(recipe, output: trainable.geometry.output)
    settings.options.runsAhead = recipe.steps * recipe.batch.accumulation
    try settings.options.decide(
      network.graph, batchShape, output: settings.output, resumed?.progress, tuning, communicator,
      engine)
    let trainer = try Trainer(
      network.graph, batchShape: batchShape, parameters: parameters, losses: losses,
      optimizer: start.optimizer, average: start.average,
      adversary: start.adversary, settings: settings, communicator: communicator, engine: engine)
    var progress = TrainingRun.progress(
      recipe, data, resumed, step: trainer.stepCount, plan: trainer.planSteps, engine,
      processes: communicator.size)
    progress.choices = trainer.planChoices.map { .init($0) }
    for line in start.messages(data, resumed, recipe, progress) { observer(.message(line)) }
    lossNames = losses.parts.map(\.name) + (recipe.adversarial == nil ? [] : ["adversarial"])
    // Nothing throws from here on: a value that cannot be copied must not be left half made.
    (self.rate, self.adversaryRate) = (rate, adversaryRate)
    (self.recipe, self.folder, self.network, self.data) = (recipe, folder, network, data)
    (self.validation, self.communicator, self.observer) = (validation, communicator, observer)
    (self.progress, card) = (progress, TrainingRun.card(recipe, data, start, resumed, progress))
    threads = engine.threads
    quality = nil
    saved = (.now, progress.step)
    earlierSeconds = progress.seconds
    log = nil
    lock = nil
    self.trainer = trainer
  }

  /// Steps done, those before an interruption included.
  public var step: Int { trainer.stepCount }

  /// Trains until all steps are done, or a signal asks for an end.
  ///
  /// - Parameter signal: asked once a step; a number means that this step is the last, after which a
  ///   checkpoint is written.
  /// - Throws: `TrainingError.notFinite` for a loss or gradient that is not finite; the checkpoints
  ///   written before are left as they are. Errors of files: a checkpoint that could not be written
  ///   leaves those before it whole.
  public mutating func run(stoppingOn signal: () -> Int32? = { nil }) throws -> TrainingEnd {
    // Before this nothing is written: a run may be made for its checks alone.
    if communicator.rank == 0 {
      try folder.create()
      do throws(FileError) { lock = try FolderLock(folder.path) } catch {
        throw TrainingError(error)
      }
      for path in folder.setAside(after: step) {
        observer(.message("set aside, for the training goes on from before: \(path)"))
      }
      log = try TrainingLog(in: folder.path, step: step, parts: lossNames)
    }
    let loader = BatchLoader(data, from: step, rank: communicator.rank, of: communicator.size)
    let clock = ContinuousClock()
    let (begin, first) = (clock.now, step)
    var shares = TimeShares()
    saved.time = begin
    while step < recipe.steps {
      let start = clock.now
      let parts = try TrainingStart.parts(of: loader.next(), recipe.batch.accumulation)
      shares.waiting = loader.waited / .seconds(1)
      let ready = clock.now
      let asked = signal()
      let rate = rate.at(step), otherRate = adversaryRate?.at(step) ?? 0
      let report: StepReport
      do {
        report = try trainer.step(
          parts, rate: rate, adversaryRate: otherRate, wishesToStop: asked != nil)
      } catch let error as TrainingError { throw advised(error) }
      shares.compute += report.compute
      shares.updating += (clock.now - ready) / .seconds(1) - report.compute
      let elapsed = (clock.now - begin) / .seconds(1)
      shares.rest = max(elapsed - shares.compute - shares.waiting - shares.updating, 0)
      progress.step = step
      progress.seconds = earlierSeconds + elapsed
      progress.samples += recipe.batch.size
      let left = elapsed / Double(step - first) * Double(recipe.steps - step)
      try told(
        TrainingStep(
          step: step, steps: recipe.steps, report: report,
          seconds: (clock.now - start) / .seconds(1), shares: shares, secondsLeft: left))
      let isDone = step == recipe.steps
      if isDone || step % recipe.validation.every == 0 { try validate() }
      if isDone || report.isLast || isDue { try save() }
      if report.isLast, !isDone {
        return .interrupted(
          signal: try sharedSignal(asked), checkpoint: folder.checkpoint(step: step))
      }
    }
    if shares.total > 0 { observer(.message(shares.text)) }
    try finish()
    return .finished(model: folder.model)
  }

  /// The signal that ends the training, in all processes: each knows only of its own.
  private func sharedSignal(_ asked: Int32?) throws -> Int32 {
    let all = try communicator.gather(asked.map { "\($0)" } ?? "")
    return all.lazy.compactMap { Int32($0) }.first ?? 0
  }

  /// An error of the training itself, with what is left to go on from.
  func advised(_ error: TrainingError) -> TrainingError {
    guard case .notFinite(let thing, let expected, let found) = error else { return error }
    let last = folder.last.map { " (the last good checkpoint is \($0))" } ?? ""
    return .notFinite(thing, expected: expected, found: found + last)
  }

  /// Whether it is time for a checkpoint.
  private var isDue: Bool {
    if let every = recipe.saving.every, step % every == 0 { return true }
    guard let minutes = recipe.saving.minutes else { return false }
    return .now - saved.time >= .seconds(minutes * 60)
  }

  /// Hands a step to the log and to whoever watches.
  private func told(_ step: TrainingStep) throws {
    guard communicator.rank == 0 else { return }
    try log?.append(
      TrainingLog.Step(
        step.step, seconds: step.seconds, loss: step.report.loss,
        parts: step.report.parts.map { ($0.name, $0.value) }, rate: step.report.rate,
        gradientNorm: step.report.gradientNorm, waiting: step.shares.share(\.waiting)))
    observer(.step(step))
  }
}
