import AviaryFiles
import AviaryGraph

/// Everything known about an architecture in one configuration.
struct ArchitectureDescription {
  private let architecture: AnyArchitecture
  private let presetName: String
  private let network: Network

  /// - Parameters:
  ///   - preset: nil for the default one.
  ///   - changes: configuration members that differ from the preset's.
  /// - Throws: `RegistryError.unknownPreset`; errors from building the network.
  init(_ architecture: AnyArchitecture, preset: String?, changes: JSON) throws {
    self.architecture = architecture
    presetName = preset ?? architecture.presets[0].name
    let members = try architecture.preset(presetName).object ?? [:]
    network = try architecture.network(
      .object(members.merging(changes.object ?? [:]) { $1 }))
  }

  private var summary: NetworkSummary { NetworkSummary(network.graph, network.picture) }

  /// As text.
  var text: String {
    let info = architecture.info
    var sheet = FactSheet()
    sheet.add("Paper", info.paper)
    sheet.add("Licence", info.licence)
    sheet.add("Kind", info.kind == .restoration ? nil : info.kind.rawValue)
    sheet.add(
      "Presets",
      architecture.presets.enumerated().map { $1.name + ($0 == 0 ? " (the default)" : "") }
        .joined(separator: ", "))
    sheet.add("Configuration", configurationLines)
    summary.describe(in: &sheet)
    sheet.add("Names", architecture.publishedNames.map { "those of \($0.source), too" })
    return "\(info.name):\(presetName.printable)  \(info.summary.printable)\n\n\(sheet.text)"
  }

  /// Members with their values, and the defaults where they differ.
  private var configurationLines: [String] {
    let members = (network.configuration.object ?? [:]).sorted { $0.key < $1.key }
    let width = members.map(\.key.count).max() ?? 0
    return members.map { name, value in
      let standard = architecture.presets[0].configuration[name]
      let space = String(repeating: " ", count: width - name.count)
      let note = standard == value ? "" : "  (default \(standard?.text ?? "none"))"
      return "\(name)\(space)  \(value.text)\(note)"
    }
  }

  /// As JSON, with the graph.
  var json: JSON {
    let info = architecture.info
    return [
      "name": .string(info.name), "kind": .string(info.kind.rawValue),
      "summary": .string(info.summary), "paper": .string(info.paper),
      "licence": .string(info.licence), "preset": .string(presetName),
      "presets": .object(
        Dictionary(architecture.presets.map { ($0.name, $0.configuration) }) { $1 }),
      "configuration": network.configuration, "network": summary.json,
      "names": .array(architecture.publishedNames.map { .string($0.source) }),
      "graph": network.graph.json,
    ]
  }
}

/// An architecture in a list.
struct ArchitectureEntry {
  private let architecture: AnyArchitecture
  /// Facts from the default preset's network; nil where only what is stated was asked for.
  private let summary: NetworkSummary?

  /// - Parameter builds: whether the network is built, without which its parameters are not known.
  /// - Throws: errors from a plugin's network.
  init(_ architecture: AnyArchitecture, builds: Bool) throws {
    self.architecture = architecture
    summary =
      builds
      ? try { NetworkSummary($0.graph, $0.picture) }(architecture.network()) : nil
  }

  private var presets: [String] { architecture.presets.map(\.name) }

  /// - Parameter links: whether names are Markdown links to the publication.
  static func table(_ entries: [ArchitectureEntry], links: Bool) -> TextTable {
    let areBuilt = entries.allSatisfy { $0.summary != nil }
    var table = TextTable(
      ["Name"] + (areBuilt ? ["Parameters", "Scale"] : []) + ["Presets", "Summary"],
      numeric: areBuilt ? [1] : [])
    table.rows = entries.map { entry in
      let info = entry.architecture.info
      let name =
        links
        ? (info.paper.isEmpty ? "`\(info.name)`" : "[`\(info.name)`](\(info.paper))") : info.name
      let facts = entry.summary.map { [NumberText.grouped($0.parameters), $0.scaleText] } ?? []
      return [name] + facts + [entry.presets.joined(separator: ", "), info.summary]
    }
    return table
  }

  /// As JSON: facts from the default preset's graph.
  var json: JSON {
    var members: [String: JSON] = [
      "name": .string(architecture.info.name), "kind": .string(architecture.info.kind.rawValue),
      "summary": .string(architecture.info.summary), "paper": .string(architecture.info.paper),
      "licence": .string(architecture.info.licence), "presets": .array(presets.map(JSON.string)),
    ]
    if let summary {
      members["parameters"] = .int(summary.parameters)
      members["scales"] = .array(summary.scales.map(JSON.int))
    }
    return .object(members)
  }
}
