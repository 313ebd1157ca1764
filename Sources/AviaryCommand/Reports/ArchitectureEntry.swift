import AviaryGraph

/// An architecture in a list.
struct ArchitectureEntry {
  private let architecture: AnyArchitecture
  private let summary: NetworkSummary

  /// - Throws: errors from a plugin's network.
  init(_ architecture: AnyArchitecture) throws {
    self.architecture = architecture
    let network = try architecture.network()
    summary = NetworkSummary(network.graph, network.picture)
  }

  private var presets: [String] { architecture.presets.map(\.name) }

  /// - Parameter links: whether names are Markdown links to the publication.
  static func table(_ entries: [ArchitectureEntry], links: Bool) -> TextTable {
    var table = TextTable(
      ["Name", "Parameters", "Scale", "Presets", "Summary"], numeric: [1])
    table.rows = entries.map { entry in
      let info = entry.architecture.info
      return [
        links
          ? (info.paper.isEmpty ? "`\(info.name)`" : "[`\(info.name)`](\(info.paper))") : info.name,
        NumberText.grouped(entry.summary.parameters), entry.summary.scaleText,
        entry.presets.joined(separator: ", "), info.summary,
      ]
    }
    return table
  }

  /// As JSON: facts from the default preset's graph.
  var json: JSON {
    [
      "name": .string(architecture.info.name), "kind": .string(architecture.info.kind.rawValue),
      "summary": .string(architecture.info.summary), "paper": .string(architecture.info.paper),
      "licence": .string(architecture.info.licence),
      "presets": .array(presets.map(JSON.string)), "parameters": .int(summary.parameters),
      "scales": .array(summary.scales.map(JSON.int)),
    ]
  }
}
