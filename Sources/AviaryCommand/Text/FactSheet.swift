import AviaryFiles

/// Named facts, one below the other, as printed by `info`, `inspect` and `convert`. Adding a fact
/// without a value adds nothing, so callers need not check.
struct FactSheet {
  private var facts: [(name: String, lines: [String])] = []

  /// Adds a fact; nothing where there is no value.
  mutating func add(_ name: String, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    add(name, [value])
  }

  /// Adds a fact of several lines; nothing where there are none.
  mutating func add(_ name: String, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    facts.append((name, lines.map(\.printable)))
  }

  /// Names on the left, values beside them.
  var text: String {
    let width = facts.map(\.name.count).max() ?? 0
    return facts.flatMap { name, lines in
      lines.enumerated().map { position, line in
        let label = position == 0 ? name : ""
        return "\(label)\(String(repeating: " ", count: width - label.count))  \(line)"
      }
    }.joined(separator: "\n")
  }
}
