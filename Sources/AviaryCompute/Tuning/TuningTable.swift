/// Times by what was timed and how it was done, and their text: a line each, of three columns with
/// tabs between them.
struct TuningTable: Hashable {
  private var times: [String: [String: Double]] = [:]

  /// What a cache may grow to: several hundred networks at several sizes.
  private static let mostLines = 20_000

  init() {}

  /// Reads what `text` has made; lines that it cannot have made are left out.
  init(_ text: String) {
    // Bytes, not characters: a thousand lines in less than a millisecond.
    for line in text.utf8.split(separator: UInt8(ascii: "\n")).prefix(TuningTable.mostLines) {
      let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      guard columns.count == 3, let key = String(columns[0]), let candidate = String(columns[1]),
        let time = String(columns[2]).flatMap(Double.init), TuningTable.isPossible(time)
      else { continue }
      times[key, default: [:]][candidate] = time
    }
  }

  /// What is known of something, by how it was done.
  subscript(_ key: String) -> [String: Double] { times[key] ?? [:] }

  mutating func record(_ key: String, _ found: [String: Double]) {
    times[key, default: [:]].merge(found.filter { TuningTable.isPossible($1) }) { $1 }
  }

  /// Takes over what another knows, where both know something the other's.
  mutating func merge(_ other: TuningTable) {
    for (key, found) in other.times { record(key, found) }
  }

  var text: String {
    let lines = times.flatMap { key, found in found.map { "\(key)\t\($0)\t\($1.rounded())\n" } }
    // Of too many any may go: who misses one times it again.
    return lines.prefix(TuningTable.mostLines).sorted().joined()
  }

  /// Up to an hour.
  private static func isPossible(_ time: Double) -> Bool { time > 0 && time < 3.6e12 }
}
