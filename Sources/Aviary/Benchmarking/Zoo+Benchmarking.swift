public import AviaryGraph
public import AviaryTensor
internal import AviaryTraining

extension Zoo {
  /// A network from the registry, by name and optional preset (`fusion-cae:x4`), with random
  /// weights that are the same every time: enough to time it.
  ///
  /// - Parameter configuration: members that differ from the preset's.
  /// - Throws: `AviaryError.noSuchModel` with the nearest name, `RegistryError.unknownPreset`, and
  ///   errors from building the network.
  public func untrained(
    _ reference: String, configuration: JSON = [:]
  ) throws -> (network: Network, weights: [String: Tensor]) {
    let parts = reference.split(separator: ":", maxSplits: 1).map(String.init)
    let name = parts.first ?? reference
    let names = registry.architectures.map(\.info.name)
    guard names.contains(name) else {
      throw AviaryError.noSuchModel(
        reference, nearest: name.nearest(in: names + checkpoints.map(\.name)))
    }
    let architecture = try registry[name]
    let preset = parts.count > 1 ? try architecture.preset(parts[1]) : [:]
    let network = try architecture.network(
      .object((preset.object ?? [:]).merging(configuration.object ?? [:]) { $1 }))
    return (network, try Initializer(network.graph, .he, seed: 1).parameters())
  }
}
