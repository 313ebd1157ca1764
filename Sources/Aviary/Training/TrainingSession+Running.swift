internal import AviaryCheckpoint
internal import AviaryFiles
public import AviaryTraining

/// The steps of a training, one after the other.
extension TrainingSession {
  /// Trains until all steps are done, or a signal asks to stop.
  ///
  /// - Parameter signal: called once a step; if it returns a number, this step is the last, and a
  ///   checkpoint is written after it.
  /// - Throws: `TrainingError.notFinite` for a loss or gradient that is not finite; file errors.
  ///   Checkpoints written before stay intact.
  public func run(stoppingOn signal: () -> Int32? = { nil }) throws -> End {
    // Nothing is written before this point: a session may be made only for its checks.
    if communicator.rank == 0 {
      opened = try OpenFolder(folder, step: step, parts: trainer.lossNames) { tell($0) }
    }
    defer { opened = nil }
    let loader = BatchLoader(data, from: step, rank: communicator.rank, of: communicator.size)
    let clock = ContinuousClock()
    let (begin, first) = (clock.now, step)
    var shares = StepTimeBreakdown()
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

  /// The signal that ends the training in all processes: each knows only its own.
  private func sharedSignal(_ asked: Int32?) throws -> Int32 {
    let all = try communicator.gather(asked.map { "\($0)" } ?? "")
    return all.lazy.compactMap { Int32($0) }.first ?? 0
  }

  /// An error of the training itself, with a hint what to resume from.
  func advised(_ error: TrainingError) -> TrainingError {
    guard case .notFinite(let thing, let expected, let found) = error else { return error }
    let last = folder.last.map { " (the last good checkpoint is \($0))" } ?? ""
    return .notFinite(thing, expected: expected, found: found + last)
  }

  /// Whether a checkpoint is due.
  private var isDue: Bool {
    if let every = recipe.saving.every, step % every == 0 { return true }
    guard let minutes = recipe.saving.minutes else { return false }
    return .now - saved.time >= .seconds(minutes * 60)
  }

  /// Reports a step to the log and the observer.
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

/// The open lock and logs of a run folder. A class, because neither can be copied.
final class OpenFolder {
  let log: RunLog
  /// Two trainings in one folder would overwrite each other's files.
  private let lock: FolderLock

  /// Creates the folder, and opens the logs after a step.
  ///
  /// - Parameter tell: called with messages about checkpoints that are set aside.
  init(
    _ folder: RunFolder, step: Int, parts: [String], _ tell: (String) -> Void
  ) throws {
    try folder.create()
    let lock: FolderLock
    do throws(FileError) { lock = try FolderLock(folder.path) } catch { throw TrainingError(error) }
    for path in folder.quarantine(after: step) {
      tell("set aside, for the training goes on from before: \(path)")
    }
    let log = try RunLog(in: folder.path, step: step, parts: parts)
    self.lock = lock
    self.log = log
  }
}

extension TrainingSession {
  /// An event of a training, reported as it happens on the training thread.
  public enum Event: Sendable {
    /// A one-line message for the user.
    case message(String)
    /// A step is done.
    case step(Step)
    /// The averaged weights were validated.
    case validated(Validated)
    /// A checkpoint has been written completely.
    case saved(path: String, step: Int)
  }

  /// The state of a training after a step.
  public struct Step: Sendable {
    /// Steps done, including those before an interruption.
    public var step: Int
    /// The total number of steps.
    public var steps: Int
    /// The trainer's report of the step.
    public var report: StepReport
    /// The time of the step, with everything done in it.
    public var seconds: Double
    /// How the time of all steps since this process started was spent.
    public var shares: StepTimeBreakdown
    /// Estimated seconds to the last step.
    public var secondsLeft: Double
  }

  /// The validation results after a step.
  public struct Validated: Sendable {
    /// Steps done.
    public var step: Int
    /// The figures, and those of bicubic enlargement (at scale 1: of the unrestored images).
    public var evaluation: Evaluation
    /// Whether it is the best result so far.
    public var isBest: Bool
    /// The images that were written.
    public var samples: [String]
  }

  /// How a training ended.
  public enum End: Sendable {
    /// All steps are done; the file of the trained network.
    case finished(model: String)
    /// Stopped by a signal; its number, and the checkpoint to resume from.
    case interrupted(signal: Int32, checkpoint: String)
  }
}
