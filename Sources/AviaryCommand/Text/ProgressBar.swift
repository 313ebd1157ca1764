import Aviary
import AviaryFiles
import AviaryTraining
import Glibc

/// A task's progress on a terminal: share, rate, time left. It appears after one second and leaves
/// no trace; without a terminal it does nothing.
struct ProgressBar {
  private let title: String
  private let amount: Double
  private let unit: String
  private let isEnabled: Bool
  private let start = ContinuousClock.now
  /// When it was last drawn; nil before the first time, and once it is cleared.
  private var drawn: ContinuousClock.Instant?

  /// Starts the progress of a task.
  ///
  /// - Parameters:
  ///   - title: what is being processed.
  ///   - amount: the amount of work, in `unit`; 0 if unknown.
  ///   - isEnabled: whether the user wants to see it.
  init(_ title: String, amount: Double, unit: String, isEnabled: Bool) {
    self.title = title.printable
    self.amount = amount
    self.unit = unit
    self.isEnabled = isEnabled && isatty(STDERR_FILENO) == 1
  }

  /// Shows that a share, 0 to 1, is done.
  mutating func update(_ share: Double) {
    guard isEnabled else { return }
    let now = ContinuousClock.now
    // Most images are done before anyone could read a bar, and ten updates a second are enough.
    guard start.duration(to: now) >= .seconds(1),
      drawn.map({ $0.duration(to: now) >= .milliseconds(100) }) ?? true
    else { return }
    drawn = now
    Console.draw(
      "\r\(line(share: min(max(share, 0), 1), seconds: start.duration(to: now) / .seconds(1)))\u{1B}[K"
    )
  }

  /// Clears the line.
  mutating func finish() {
    guard drawn != nil else { return }
    drawn = nil
    Console.draw("\r\u{1B}[K")
  }

  /// The line, no wider than the terminal; its parts keep their positions.
  private func line(share: Double, seconds: Double) -> String {
    let percent = NumberText.fixed(share * 100, 0)
    var tail = " \(String(repeating: " ", count: 3 - percent.count))\(percent) %"
    if amount > 0 { tail += "  \(NumberText.fixed(share * amount / seconds, 2)) \(unit)/s" }
    if share > 0 {
      let left = max((seconds / share - seconds).rounded(.up), 0)
      tail += "  \(left < 10 ? "\(Int(left)) s" : NumberText.duration(left)) left"
    }
    // Leave one column free: some terminals wrap when the last one is filled.
    let columns = ProgressBar.columns - 1
    let width = 20
    let bar = String(repeating: "#", count: Int(share * Double(width)))
    let rest = String(repeating: "-", count: width - bar.count)
    let room = max(columns - width - 3 - tail.count, 8)
    let name = title.count <= room ? title : "...\(title.suffix(room - 3))"
    return String("\(name) [\(bar)\(rest)]\(tail)".prefix(columns))
  }

  /// The width of the terminal.
  static var columns: Int {
    var size = winsize()
    guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 10 else {
      return 80
    }
    return Int(size.ws_col)
  }
}

/// A training's progress in one line: step, loss, rate, time left, PSNR beside bicubic's. A
/// terminal shows it in place; otherwise a line is written every minute and for each validation.
struct StepLine {
  private let isEnabled: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  /// When a line was written last.
  private var written: ContinuousClock.Instant?
  /// The mean of recent losses: the loss of a single batch says little.
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

  /// Clears the line before something else is written.
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
