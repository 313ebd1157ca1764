internal import Aviary

/// All that was measured for one work, over all rounds.
struct WorkResult {
  /// A framework's time: the median over the rounds.
  struct Entry {
    let peer: String
    let times: TimedRuns
    var milliseconds: Double { times.median }
  }

  let work: Work
  /// Nil where the engine was not timed.
  let ours: Entry?
  /// Without Winograd's algorithm.
  let exact: Entry?
  /// The others, the fastest first: those whose output agrees.
  let peers: [Entry]
  /// Whose time does not count, and why.
  let failures: [(peer: String, error: String)]
  /// Multiply-adds a second in 10^9.
  let rate: Double?

  /// - Parameter figures: of any works; those of other works are passed over.
  init(_ work: Work, _ figures: [Figure]) {
    let own = figures.filter { $0.network == work.network && $0.work == work.name }
    let failed = Dictionary(
      own.compactMap { figure in figure.error.map { (figure.peer, $0) } }, uniquingKeysWith: { $1 })
    let entries = Dictionary(grouping: own, by: \.peer).compactMap { peer, figures -> Entry? in
      let times = figures.compactMap(\.milliseconds)
      guard failed[peer] == nil, !times.isEmpty else { return nil }
      return Entry(peer: peer, times: TimedRuns(times))
    }
    self.work = work
    ours = entries.first { $0.peer == "aviary" }
    exact = entries.first { $0.peer == "aviary exact" }
    peers = entries.filter { !$0.peer.hasPrefix("aviary") }
      .sorted { $0.milliseconds < $1.milliseconds }
    failures = failed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    let rates = own.filter { $0.peer == "aviary" }.compactMap(\.rate)
    rate = rates.isEmpty ? nil : TimedRuns(rates).median
  }

  /// The best peer's time over ours; nil where either is missing.
  var ratio: Double? {
    guard let ours, let best = peers.first else { return nil }
    return best.milliseconds / ours.milliseconds
  }

  /// Whether the ratio is what was asked for, to the two places that are shown.
  var isMet: Bool? { ratio.map { $0.rounded(to: 2) >= work.bar } }
}
