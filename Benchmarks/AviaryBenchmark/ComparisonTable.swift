/// The engine beside its peers, as a table in Markdown.
struct ComparisonTable {
  /// A framework's time for one piece of work: the median over the rounds.
  private struct Entry {
    let peer: String
    let milliseconds: Double
    let fastestRound: Double
    let slowestRound: Double
  }

  private let figures: [Figure]

  /// - Parameter figures: of all frameworks and rounds; other work than `Work.all` is passed over.
  init(_ figures: [Figure]) { self.figures = figures }

  /// Two lines of head, and a line for each piece of work that the engine was timed at.
  var markdown: String {
    let head = [
      "| network | input | aviary, ms (spread) | GMAC/s | best peer, ms | **best peer / aviary** |"
        + " aviary exact, ms | other peers, ms |",
      "|---|---|---|---|---|---|---|---|",
    ]
    return (head + Work.all.compactMap(row)).joined(separator: "\n")
  }

  private func row(_ work: Work) -> String? {
    let entries = entries(of: work)
    guard let ours = entries.first(where: { $0.peer == "aviary" }) else { return nil }
    let exact = entries.first { $0.peer == "aviary exact" }
    let peers = entries.filter { !$0.peer.hasPrefix("aviary") }
      .sorted { $0.milliseconds < $1.milliseconds }
    let rate =
      figures(of: work).filter { $0.peer == "aviary" }.compactMap(\.rate).median
    let cells = [
      work.network, (work.isTraining ? "a step of training, " : "") + work.size,
      "\(text(ours.milliseconds)) (\(text(ours.fastestRound)) to \(text(ours.slowestRound)))",
      rate.text(0), peers.first.map(text) ?? "none",
      peers.first.map { "**\(($0.milliseconds / ours.milliseconds).text(2))**" } ?? "",
      exact.map { text($0.milliseconds) } ?? "",
      peers.dropFirst().map(text).joined(separator: ", "),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private func figures(of work: Work) -> [Figure] {
    figures.filter { $0.network == work.network && $0.work == work.name }
  }

  private func entries(of work: Work) -> [Entry] {
    Dictionary(grouping: figures(of: work), by: \.peer).map { peer, figures in
      let times = figures.map(\.milliseconds)
      return Entry(
        peer: peer, milliseconds: times.median, fastestRound: times.min() ?? .nan,
        slowestRound: times.max() ?? .nan)
    }
  }

  private func text(_ entry: Entry) -> String { "\(entry.peer) \(text(entry.milliseconds))" }

  /// Three significant digits or so.
  private func text(_ milliseconds: Double) -> String {
    milliseconds.text(milliseconds < 10 ? 2 : milliseconds < 100 ? 1 : 0)
  }
}
