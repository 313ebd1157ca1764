import AviaryFiles

/// Rows under headings, for people: in columns, or as Markdown.
struct TextTable {
  /// A column.
  struct Column {
    /// The heading.
    var title: String
    /// Whether it holds numbers, which are right-aligned.
    var isNumeric = false
  }

  /// From left to right.
  var columns: [Column]
  /// From top to bottom, each with a cell for every column.
  var rows: [[String]] = []

  /// A table; `numeric` are the positions of columns of numbers.
  init(_ titles: [String], numeric: Set<Int> = []) {
    columns = titles.enumerated().map { Column(title: $1, isNumeric: numeric.contains($0)) }
  }

  /// In columns two spaces apart. Widths are counted in characters, which is right for all scripts
  /// whose letters take one column.
  var text: String {
    let cells = [columns.map { $0.title.uppercased() }] + rows.map { $0.map(\.printable) }
    let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.map { row in
      let padded = columns.indices.map { i in
        let space = String(repeating: " ", count: widths[i] - row[i].count)
        return columns[i].isNumeric ? space + row[i] : row[i] + space
      }
      return padded.joined(separator: "  ").trimmingTrailingSpaces
    }.joined(separator: "\n")
  }

  /// As Markdown's tables.
  var markdown: String {
    func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }
    let head = [
      line(columns.map(\.title)), "|\(columns.map { $0.isNumeric ? "---:|" : "---|" }.joined())",
    ]
    // A bar would end the cell, and this table goes into the README as it is.
    let body = rows.map { row in
      line(row.map { $0.printable.split(separator: "|").joined(separator: "\\|") })
    }
    return (head + body).joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

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
