internal import Aviary

/// The engine beside its peers, as a table in Markdown.
struct ComparisonTable {
  private let results: [WorkResult]

  init(_ results: [WorkResult]) { self.results = results }

  /// Two lines of head, a line for each piece of work that the engine was timed at, and what
  /// failed.
  var markdown: String {
    let head = [
      "| work | asked | **best peer / aviary** | | aviary, ms (spread) | GMAC/s | best peer, ms |"
        + " other peers, ms | aviary exact, ms |",
      "|---|---|---|---|---|---|---|---|---|",
    ]
    let failures = results.flatMap { result in
      result.failures.map { "- \(result.work.title): \($0.peer): \($0.error)" }
    }
    let note =
      failures.isEmpty
      ? [] : ["", "What does not count, for it failed or gave something else:", ""]
    return (head + results.compactMap(row) + note + failures).joined(separator: "\n")
  }

  private func row(_ result: WorkResult) -> String? {
    guard let ours = result.ours else { return nil }
    let spread = "\(text(ours.times.fastest)) to \(text(ours.times.slowest))"
    let ratio = result.ratio.map { "**\($0.text(2))**" } ?? ""
    let verdict = result.isMet.map { $0 ? "met" : "not met" } ?? ""
    let rate = result.rate.map { $0.text(0) } ?? ""
    let best = result.peers.first.map(text) ?? "none"
    let others = result.peers.dropFirst().map(text).joined(separator: ", ")
    let exact = result.exact.map { text($0.milliseconds) } ?? ""
    let cells: [String] = [
      result.work.title, result.work.bar.text(1), ratio, verdict,
      "\(text(ours.milliseconds)) (\(spread))", rate, best, others, exact,
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private func text(_ entry: WorkResult.Entry) -> String {
    "\(entry.peer) \(text(entry.milliseconds))"
  }

  /// Three significant digits or so.
  private func text(_ milliseconds: Double) -> String {
    milliseconds.text(milliseconds < 10 ? 2 : milliseconds < 100 ? 1 : 0)
  }
}
