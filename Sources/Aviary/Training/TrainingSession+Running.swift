internal import AviaryCheckpoint
internal import AviaryFiles
internal import AviaryTraining

/// The steps of a training, one after the other.
extension TrainingSession {
  /// Trains until all steps are done, or a signal asks for an end.
  ///
  /// - Parameter signal: asked once a step; a number means that this step is the last, after which a
  ///   checkpoint is written.
  /// - Throws: `TrainingError.notFinite` for a loss or gradient that is not finite; the checkpoints
  ///   written before are left as they are. Errors of files: a checkpoint that could not be written
  ///   leaves those before it whole.
  public func run(stoppingOn signal: () -> Int32? = { nil }) throws -> End {
    // Before this nothing is written: a session may be made for its checks alone.
    if communicator.rank == 0 {
      opened = try OpenFolder(folder, step: step, parts: trainer.lossNames) { tell($0) }
    }
    defer { opened = nil }
    let loader = BatchLoader(data, from: step, rank: communicator.rank, of: communicator.size)
    let clock = ContinuousClock()
    let (begin, first) = (clock.now, step)
    var shares = TimeShares()
    saved.time = begin
    while step < recipe.steps {
      let start = clock.now
      let parts = try loader.next().parts(recipe.batch.accumulation)
      shares.waiting = loader.waited / .seconds(1)
      let ready = clock.now
      let asked = signal()
      let rate = rates.network.at(step), otherRate = rates.discriminator?.at(step) ?? 0
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
        Step(
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
    if shares.total > 0 { tell(shares.text) }
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
  private func told(_ step: Step) throws {
    guard communicator.rank == 0 else { return }
    try opened?.log.append(
      RunLog.Step(
        step.step, seconds: step.seconds, loss: step.report.loss,
        parts: step.report.parts.map { ($0.name, $0.value) }, rate: step.report.rate,
        gradientNorm: step.report.gradientNorm, waiting: step.shares.share(\.waiting)))
    observer(.step(step))
  }
}

/// What is open in the folder of a training while it runs. A class, for neither can be copied.
final class OpenFolder {
  let log: RunLog
  /// Two trainings in one folder would take each other's files.
  private let lock: FolderLock

  /// Makes the folder, and opens the logs behind a step.
  ///
  /// - Parameter tell: is told of checkpoints that are set aside.
  init(
    _ folder: RunFolder, step: Int, parts: [String], _ tell: (String) -> Void
  ) throws {
    try folder.create()
    let lock: FolderLock
    do throws(FileError) { lock = try FolderLock(folder.path) } catch { throw TrainingError(error) }
    for path in folder.setAside(after: step) {
      tell("set aside, for the training goes on from before: \(path)")
    }
    let log = try RunLog(in: folder.path, step: step, parts: parts)
    self.lock = lock
    self.log = log
  }
}
