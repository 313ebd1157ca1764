public import AviaryTraining

extension TrainingSession {
  /// What a training tells whoever watches it, as it happens and from the thread that trains.
  public enum Event: Sendable {
    /// Something that the user should know, in one line.
    case message(String)
    /// A step is done.
    case step(Step)
    /// The averaged weights were measured.
    case validated(Validated)
    /// A checkpoint is whole under its name.
    case saved(path: String, step: Int)
  }

  /// Where a training stands after a step.
  public struct Step: Sendable {
    /// Steps done, those before an interruption included.
    public var step: Int
    /// Steps in all.
    public var steps: Int
    /// The step as the trainer reports it.
    public var report: StepReport
    /// The time of the step, all that was done in it included.
    public var seconds: Double
    /// What the time of all steps since this process began was spent on.
    public var shares: TimeShares
    /// Seconds to the last step, as steps have gone so far.
    public var secondsLeft: Double
  }

  /// What the averaged weights were worth after a step.
  public struct Validated: Sendable {
    /// Steps done.
    public var step: Int
    /// The figures, and beside them those of bicubic enlargement (at scale 1: of the pictures as they
    /// were given).
    public var evaluation: Evaluation
    /// Whether no earlier figure was better.
    public var isBest: Bool
    /// The pictures that were written.
    public var samples: [String]
  }

  /// How a training ended.
  public enum End: Sendable {
    /// All steps are done: the file of the trained network.
    case finished(model: String)
    /// A signal asked for an end: its number, and the checkpoint to go on from.
    case interrupted(signal: Int32, checkpoint: String)
  }
}
