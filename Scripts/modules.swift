// Draws the modules of Package.swift and what each may import, as SVG: boxes in layers, arrows down,
// without those that follow from others. Used by Scripts/docs:
//
//   swift package dump-package | swift Scripts/modules.swift > Docs/pictures/modules.svg
import Foundation

struct Target {
  var name: String
  var type: String
  var dependencies: [String]
}

guard
  let package = try? JSONSerialization.jsonObject(
    with: FileHandle.standardInput.readDataToEndOfFile()) as? [String: Any],
  let list = package["targets"] as? [[String: Any]]
else {
  let line = "modules: standard input is not the output of `swift package dump-package`\n"
  FileHandle.standardError.write(Data(line.utf8))
  exit(65)
}

/// What a dependency is called: `{"byName": ["AviaryGraph", null]}`, `{"product": ["Crypto", …]}`.
func name(_ dependency: [String: Any]) -> String? {
  (dependency.values.first as? [Any])?.first as? String
}

var targets: [String: Target] = [:]
for item in list {
  guard let name = item["name"] as? String, let type = item["type"] as? String else { continue }
  let dependencies = (item["dependencies"] as? [[String: Any]] ?? []).compactMap(name(_:))
  targets[name] = Target(name: name, type: type, dependencies: dependencies)
}

// Tests, benchmarks and C are left out; the architectures are one box.
let plugins = Set(
  list.filter { ($0["path"] as? String)?.hasPrefix("Plugins/") == true }
    .compactMap { $0["name"] as? String })
let shown = targets.values.filter {
  $0.name.hasPrefix("Aviary") && $0.type != "test" && !$0.name.hasSuffix("TestSupport")
    && $0.name != "AviaryBenchmark"
}.map(\.name).sorted()
let nodes = shown + ["Plugins/*"]
var below: [String: Set<String>] = [:]
for node in shown {
  let all = targets[node]?.dependencies ?? []
  below[node] = Set(all.filter(shown.contains))
  if !plugins.isDisjoint(with: all) { below[node]?.insert("Plugins/*") }
}
below["Plugins/*"] = Set(plugins.flatMap { targets[$0]?.dependencies ?? [] }).intersection(shown)

func reach(_ node: String) -> Set<String> {
  (below[node] ?? []).reduce(into: []) { $0.formUnion(reach($1).union([$1])) }
}
/// Arrows that do not follow from others.
let arrows = nodes.flatMap { node in
  (below[node] ?? []).filter { target in
    !(below[node] ?? []).contains { $0 != target && reach($0).contains(target) }
  }.sorted().map { (node, $0) }
}
func level(_ node: String) -> Int { ((below[node] ?? []).map { level($0) + 1 }).max() ?? 0 }

// Rows from the top. An arrow that passes a row has a gap of its own there, so that it crosses no box.
let top = nodes.map(level).max() ?? 0
var rows: [[String]] = (0...top).map { row in nodes.filter { level($0) == top - row } }
var waypoints: [[String]] = []
for (from, to) in arrows {
  let passed = (top - level(from) + 1)..<(top - level(to))
  for row in passed { rows[row].append("\(from)>\(to)") }
  waypoints.append([from] + passed.map { _ in "\(from)>\(to)" } + [to])
}
let (width, height, gap, between, margin) = (150.0, 34.0, 26.0, 52.0, 16.0)
func width(_ item: String) -> Double { item.contains(">") ? 4 : width }
func rowWidth(_ row: [String]) -> Double { row.reduce(-gap) { $0 + width($1) + gap } }
let totalWidth = (rows.map(rowWidth).max() ?? 0) + 2 * margin
let totalHeight = Double(rows.count) * (height + between) - between + 2 * margin

/// The middle of each item of a row.
var middles: [[String: Double]] = rows.map { _ in [:] }
func place(_ row: Int) {
  var x = (totalWidth - rowWidth(rows[row])) / 2
  for item in rows[row] {
    middles[row][item] = x + width(item) / 2
    x += width(item) + gap
  }
}
for row in rows.indices { place(row) }
/// Sorts a row by the middles of what its items are joined to in a neighbouring row.
func sort(_ row: Int, by other: Int) {
  func centre(_ item: String) -> Double {
    let joined = waypoints.flatMap { path in
      path.indices.filter { path[$0] == item }.flatMap { at in
        [at - 1, at + 1].filter(path.indices.contains).compactMap { middles[other][path[$0]] }
      }
    }
    return joined.isEmpty
      ? middles[row][item] ?? 0 : joined.reduce(0, +) / Double(joined.count)
  }
  let centres = Dictionary(uniqueKeysWithValues: rows[row].map { ($0, centre($0)) })
  rows[row].sort { (centres[$0] ?? 0, $0) < (centres[$1] ?? 0, $1) }
  place(row)
}
for _ in 0..<8 {
  for row in rows.indices.dropFirst() { sort(row, by: row - 1) }
  for row in rows.indices.dropLast().reversed() { sort(row, by: row + 1) }
}
func y(_ row: Int) -> Double { margin + Double(row) * (height + between) }

var svg = """
  <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(totalWidth)) \(Int(totalHeight))" \
  font-family="sans-serif" font-size="13">
  <title>The modules of Aviary: each may import those that its arrows lead to, and theirs</title>
  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
  orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6b7c"/></marker></defs>
  <rect width="100%" height="100%" fill="#ffffff"/>

  """
for path in waypoints {
  let first = top - level(path[0])
  var points: [String] = []
  for (offset, item) in path.enumerated() {
    let row = first + offset
    let x = Int((middles[row][item] ?? 0).rounded())
    let isEnd = offset == path.count - 1
    if offset > 0 { points.append("\(x),\(Int(y(row)))") }
    if !isEnd { points.append("\(x),\(Int(y(row) + height))") }
  }
  svg += """
    <polyline points="\(points.joined(separator: " "))" fill="none" stroke="#5b6b7c" \
    stroke-width="1.2" marker-end="url(#tip)"/>

    """
}
for (row, items) in rows.enumerated() {
  for node in items where !node.contains(">") {
    let middle = middles[row][node] ?? 0
    let isProgram = targets[node]?.type == "executable"
    svg += """
      <rect x="\(Int(middle - width / 2))" y="\(Int(y(row)))" width="\(Int(width))" \
      height="\(Int(height))" rx="5" \
      fill="\(isProgram ? "#fff1d6" : node.hasPrefix("Plugins") ? "#e3f3e3" : "#e6eef8")" \
      stroke="#34495e"/>
      <text x="\(Int(middle))" y="\(Int(y(row) + height / 2 + 5))" text-anchor="middle" \
      fill="#1b2733">\(node)</text>

      """
  }
}
print(svg + "</svg>")
