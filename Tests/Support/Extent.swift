package import AviaryGraph
internal import FoundationEssentials

/// How much tests do: a part that a change must pass, or everything there is (`AVIARY_ALL`).
package enum Extent {
  /// Whether everything is wanted.
  package static let isWhole = ProcessInfo.processInfo.environment["AVIARY_ALL"] != nil

  /// The presets and their networks, or of a large architecture the smallest alone.
  ///
  /// - Throws: errors from building a network.
  package static func presets(
    of architecture: AnyArchitecture
  ) throws -> [(name: String, network: Network)] {
    let all = try architecture.presets.map {
      (name: $0.name, network: try architecture.network($0.configuration))
    }
    func size(_ preset: (name: String, network: Network)) -> Int {
      preset.network.graph.nodes.count
    }
    if isWhole || all.allSatisfy({ size($0) <= 500 }) { return all }
    return Array(all.sorted { size($0) < size($1) }.prefix(1))
  }
}
