public import AviaryGraph
internal import AviaryCheckpoint

/// How the layers of a network are called in a file for PyTorch.
public struct NameSet: Hashable, Sendable {
  /// Whose names these are: a source's, `file`'s or `aviary`'s.
  public let source: String
  /// The parameters that are called otherwise there: their names, by those in the graph.
  let external: [String: String]

  /// The name of a parameter in the file.
  func callAsFunction(_ name: String) -> String { external[name] ?? name }

  /// The names of the graph itself, which are the reference's where the architecture has one.
  static let own = NameSet(source: aviary, external: [:])
  private static let aviary = "aviary"
  private static let file = "file"

  private init(source: String, external: [String: String]) {
    (self.source, self.external) = (source, external)
  }

  /// Names that tell a graph's parameters apart; nil for others.
  fileprivate init?(_ source: String, _ graph: Graph, _ name: (String) -> String) {
    let pairs = graph.parameters.map { ($0.name, name($0.name)) }
    guard Set(pairs.map(\.1)).count == pairs.count else { return nil }
    external = Dictionary(uniqueKeysWithValues: pairs.filter { $0 != $1 })
    self.source = source
  }
}

extension StoredModel {
  /// The names that the weights' file had for them, where that was a file for PyTorch.
  var namesOfFile: NameSet? {
    guard let names = card.provenance.last(where: { $0.names != nil })?.names else { return nil }
    return NameSet("file", network.graph) { names[$0] ?? $0 }
  }

  /// The set of names that a user states: `aviary` for the graph's own; `file` for those that the
  /// weights came with; a source whose names the architecture knows; or a value of the
  /// configuration's member `names`.
  ///
  /// - Throws: `AviaryError.names` for another, or one that the weights cannot be told by, with those
  ///   that there are.
  public func names(_ name: String, in registry: Registry) throws -> NameSet {
    let known = nameSets(in: registry)
    guard let found = known.first(where: { $0.source == name }) else {
      throw AviaryError.names(
        network.architecture.isEmpty ? "the network" : network.architecture, known.map(\.source),
        found: name)
    }
    return found
  }

  private func nameSets(in registry: Registry) -> [NameSet] {
    let graph = network.graph
    var sets = [NameSet.own]
    if let namesOfFile { sets.append(namesOfFile) }
    guard !network.architecture.isEmpty, let architecture = try? registry[network.architecture]
    else { return sets }
    for map in architecture.publishedNames {
      guard let set = NameSet(map.source, graph, map.external), !set.external.isEmpty else {
        continue
      }
      sets.append(set)
    }
    // Where sources differ by rules that no map of names can say, the configuration has them.
    guard let own = network.configuration["names"]?.string else { return sets }
    let others = Set(
      architecture.presets.compactMap { $0.configuration["names"]?.string } + [own])
    for name in others.sorted() {
      var members = network.configuration.object ?? [:]
      members["names"] = .string(name)
      guard let other = try? architecture.network(.object(members)).graph,
        other.isEquivalent(to: graph), other.parameters.count == graph.parameters.count
      else { continue }
      let names = Dictionary(
        uniqueKeysWithValues: zip(graph.parameters, other.parameters).map { ($0.name, $1.name) })
      if let set = NameSet(name, graph, { names[$0] ?? $0 }) { sets.append(set) }
    }
    return sets
  }
}
