import AviaryFiles
import Glibc

/// How far a task has got, on a terminal: share, rate, time left. It shows itself once the task has
/// taken a second, and leaves no trace; away from a terminal it does nothing.
struct ProgressBar {
  private let title: String
  private let amount: Double
  private let unit: String
  private let isEnabled: Bool
  private let start = ContinuousClock.now
  /// When it was drawn last; nil before, and once it is wiped.
  private var drawn: ContinuousClock.Instant?

  /// A task at its beginning.
  ///
  /// - Parameters:
  ///   - title: what is being worked on.
  ///   - amount: how much there is to do, in `unit`; 0 where that is not known.
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
    // Most pictures are done before a bar could be read, and ten times a second is often enough.
    guard start.duration(to: now) >= .seconds(1),
      drawn.map({ $0.duration(to: now) >= .milliseconds(100) }) ?? true
    else { return }
    drawn = now
    Console.draw(
      "\r\(line(share: min(max(share, 0), 1), seconds: start.duration(to: now) / .seconds(1)))\u{1B}[K"
    )
  }

  /// Wipes the line.
  mutating func finish() {
    guard drawn != nil else { return }
    drawn = nil
    Console.draw("\r\u{1B}[K")
  }

  /// The line, not wider than the terminal; its parts keep their places.
  private func line(share: Double, seconds: Double) -> String {
    let percent = NumberText.fixed(share * 100, 0)
    var tail = " \(String(repeating: " ", count: 3 - percent.count))\(percent) %"
    if amount > 0 { tail += "  \(NumberText.fixed(share * amount / seconds, 2)) \(unit)/s" }
    if share > 0 {
      let left = max((seconds / share - seconds).rounded(.up), 0)
      tail += "  \(left < 10 ? "\(Int(left)) s" : NumberText.duration(left)) left"
    }
    // One column stays free, for some terminals break the line when the last is filled.
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
