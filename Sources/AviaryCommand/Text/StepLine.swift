import Aviary
import AviaryTraining
import Glibc

/// How a training goes, on one line: step, loss, rate, time left, PSNR beside bicubic's. On a terminal
/// it moves; elsewhere a line is written every minute, and for each validation.
struct StepLine {
  private let isEnabled: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  /// When a line was written last.
  private var written: ContinuousClock.Instant?
  /// The mean of late losses: that of a single batch tells little.
  private var loss: Double?
  private var quality = ""
  private var last = ""

  /// - Parameter isEnabled: whether the user wants to see it.
  init(isEnabled: Bool) { self.isEnabled = isEnabled }

  /// Shows a step.
  mutating func show(_ step: TrainingSession.Step) {
    let mean = loss.map { $0 + 0.05 * (step.report.loss - $0) } ?? step.report.loss
    loss = mean
    last =
      "step \(step.step)/\(step.steps)  loss \(NumberText.short(mean))  "
      + "rate \(NumberText.short(step.report.rate))\(quality)  "
      + "\(NumberText.duration(step.secondsLeft.rounded(.up))) left"
    write(after: isTerminal ? .milliseconds(100) : .seconds(60))
  }

  /// Shows a validation.
  mutating func show(_ validation: TrainingSession.Validated) {
    let mean = validation.evaluation.mean
    quality =
      "  PSNR \(NumberText.fixed(mean.psnr, 2)) dB, bicubic \(NumberText.fixed(mean.bicubic.psnr, 2))"
    guard isEnabled else { return }
    wipe()
    Console.draw(
      "step \(validation.step)\(quality)\(validation.isBest ? ", the best so far" : "")\n")
  }

  /// Wipes the line, before something else is written.
  mutating func wipe() {
    guard isEnabled, isTerminal, written != nil else { return }
    written = nil
    Console.draw("\r\u{1B}[K")
  }

  private mutating func write(after pause: Duration) {
    let now = ContinuousClock.now
    guard isEnabled, written.map({ $0.duration(to: now) >= pause }) ?? true else { return }
    written = now
    let line = String(last.prefix(ProgressBar.columns - 1))
    Console.draw(isTerminal ? "\r\(line)\u{1B}[K" : "\(last)\n")
  }
}
