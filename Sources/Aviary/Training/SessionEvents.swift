public import AviaryTraining

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
