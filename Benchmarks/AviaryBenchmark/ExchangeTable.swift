internal import AviaryGraph

/// What inspecting and converting took, as tables in Markdown.
struct ExchangeTable {
  /// One program's runs on one file, or pair of formats.
  private struct Entry {
    let work: String
    let subject: String
    let target: String
    let seconds: Double
    let peakBytes: Double

    init?(_ json: JSON) {
      guard let work = json["work"]?.string, let subject = json["subject"]?.string,
        let seconds = json["seconds"]?.double, let peak = json["peak_bytes"]?.double
      else { return nil }
      (self.work, self.subject, self.seconds, peakBytes) = (work, subject, seconds, peak)
      target = json["target"]?.string ?? ""
    }
  }

  private let entries: [Entry]
  /// The bytes of the largest tensor of the checkpoint that is converted.
  private let largest: Double

  /// The bounds that the project has set itself.
  private static let bounds = (inspection: 50.0, helper: 15.0, conversion: 2.0, memory: 100.0)

  /// - Parameter lines: of `checkpoint` and `spawn`.
  init(_ lines: [JSON]) {
    entries = lines.compactMap(Entry.init)
    largest = lines.compactMap { $0["largest"]?.double }.max() ?? 0
  }

  /// Tables of inspections and of conversions, and what is compared with them.
  var markdown: String {
    [inspections, conversions, memory, others].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private func all(_ work: String) -> [Entry] { entries.filter { $0.work == work } }

  private func seconds(_ work: String, _ subject: String) -> Double? {
    all(work).first { $0.subject == subject }?.seconds
  }

  private var inspections: String {
    let rows = (all("inspect") + all("helper")).map { entry in
      let isHelper = entry.work == "helper"
      let bound = isHelper ? Self.bounds.helper : Self.bounds.inspection
      let milliseconds = entry.seconds * 1e3
      return [
        isHelper ? "\(entry.subject), the HDF5 helper alone" : entry.subject,
        milliseconds.text(1), bound.text(0), Self.verdict(milliseconds, bound),
        (entry.peakBytes / 1e6).text(0),
      ]
    }
    guard !rows.isEmpty else { return "" }
    return Self.table(["`inspect` of 100 MB", "ms", "bound, ms", "of the bound", "peak, MB"], rows)
  }

  /// Times beside those of `cp` and `sha256sum` together, twice over.
  private var conversions: String {
    grid("seconds (part of the bound)") { entry in
      guard let copy = seconds("copy", entry.subject), let hash = seconds("hash", entry.subject)
      else { return entry.seconds.text(2) }
      let bound = Self.bounds.conversion * (copy + hash)
      return "\(entry.seconds.text(2)) (\(Self.verdict(entry.seconds, bound)))"
    }
  }

  private var memory: String {
    grid("MB beyond the largest tensor, \((largest / 1e6).text(1)) MB (part of the bound)") {
      entry in
      let beyond = (entry.peakBytes - largest) / 1e6
      return "\(beyond.text(0)) (\(Self.verdict(beyond, Self.bounds.memory)))"
    }
  }

  /// A line for each input format and a column for each output format.
  private func grid(_ what: String, _ cell: (Entry) -> String) -> String {
    let conversions = all("convert")
    guard !conversions.isEmpty else { return "" }
    var (subjects, targets): ([String], [String]) = ([], [])
    for entry in conversions {
      if !subjects.contains(entry.subject) { subjects.append(entry.subject) }
      if !targets.contains(entry.target) { targets.append(entry.target) }
    }
    let rows = subjects.map { subject in
      [subject]
        + targets.map { target in
          conversions.first { $0.subject == subject && $0.target == target }.map(cell) ?? ""
        }
    }
    return "\(what):\n\n" + Self.table(["from, to"] + targets, rows)
  }

  private var others: String {
    let known = ["inspect", "helper", "convert"]
    let rows = entries.filter { !known.contains($0.work) }.map {
      [$0.work, $0.subject, ($0.seconds).text(2)]
    }
    return rows.isEmpty ? "" : Self.table(["beside it", "file", "seconds"], rows)
  }

  /// How much of a bound something takes; in bold where that is too much.
  private static func verdict(_ value: Double, _ bound: Double) -> String {
    let part = (value / bound).text(2)
    return value <= bound ? part : "**\(part)**"
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    ([head, head.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }
      .joined(separator: "\n")
  }
}
