/// A network that has exactly the weights of a file.
public struct Fit: Sendable {
  /// The network.
  public var network: Network
  /// Members of the configuration and the image that shapes do not show.
  public var assumed: [String]
  /// The names by which the file knows the layers; nil for the architecture's own.
  public var names: NameMap?
  /// Layers that the file holds in the form in which they were trained, by its names.
  public var folded: [FoldedLayer]
  /// Other values of assumed members; see `Proposal.alternatives`.
  public var alternatives: [String: [JSON]]
  /// Assumed members that an import asks for; see `Proposal.asked`.
  public var asked: [String]

  /// A fit.
  public init(
    network: Network, assumed: [String] = [], names: NameMap? = nil, folded: [FoldedLayer] = [],
    alternatives: [String: [JSON]] = [:], asked: [String] = []
  ) {
    (self.network, self.assumed, self.names) = (network, assumed, names)
    (self.folded, self.alternatives, self.asked) = (folded, alternatives, asked)
  }

  /// The canonical name of the file's tensor.
  public func canonical(_ name: String) -> String { names?.canonical(name) ?? name }
}

extension Registry {
  /// Recognises weights by names and shapes: architectures propose configurations, and a proposal
  /// counts only if its graph has exactly these parameters.
  ///
  /// - Parameters:
  ///   - weights: what the file holds, in PyTorch's layout.
  ///   - name: the only architecture to consider; nil for all.
  ///   - overrides: members of the configuration that the user states, which replace those
  ///     proposed.
  /// - Throws: `RegistryError.ambiguous` where several fit, `.unrecognised` where none does, with
  ///   what the nearest lack; `GraphError` for overrides that the architecture does not know.
  public func detect(
    _ weights: WeightIndex, as name: String? = nil, overrides: JSON = [:]
  ) throws -> Fit {
    if let fit = try fit(weights, as: name, overrides: overrides) { return fit }
    let (_, weights, differences) = try attempted(weights, as: name, overrides: overrides)
    let candidates = try name.map { [try self[$0]] } ?? architectures
    throw RegistryError.unrecognised(
      tensors: weights.shapes.count, nearest: nearest(to: weights, candidates, differences))
  }

  /// The same; nil where none fits, without a look at what would come near, which takes building every
  /// network.
  ///
  /// - Throws: as `detect`, `.unrecognised` aside.
  package func fit(
    _ weights: WeightIndex, as name: String? = nil, overrides: JSON = [:]
  ) throws -> Fit? {
    if let fit = try attempted(weights, as: name, overrides: overrides).fit { return fit }
    // Where the weights would fit but for the overrides, what is wrong with these says more.
    if overrides != [:], let fit = try? fit(weights, as: name) {
      let members = (fit.network.configuration.object ?? [:])
        .merging(overrides.object ?? [:]) { $1 }
      _ = try self[fit.network.architecture].network(.object(members))
    }
    return nil
  }

  /// What an architecture differs by.
  private typealias Difference = (architecture: String, difference: StateDictDifference)

  private func attempted(
    _ weights: WeightIndex, as name: String?, overrides: JSON
  ) throws -> (fit: Fit?, weights: WeightIndex, differences: [Difference]) {
    guard overrides.object != nil else {
      throw GraphError.member("configuration", expected: "an object", found: overrides.kind)
    }
    let candidates = try name.map { [try self[$0]] } ?? architectures
    let (weights, folded) = weights.folded()
    var fits: [String: Fit] = [:]
    var differences: [Difference] = []
    for architecture in candidates {
      for names in [nil] + architecture.publishedNames.map(Optional.some) {
        guard let renamed = weights.renamed(by: names) else { continue }
        for attempt in try architecture.attempts(renamed, overrides, named: name != nil) {
          guard let network = try? architecture.network(attempt.configuration) else { continue }
          let difference = StateDictDifference(
            renamed, network.graph, network: network.label, unused: network.unused)
          if difference.isEmpty {
            // Proposals that differ only in what is assumed are one fit: the first counts.
            let key = architecture.info.name + network.configuration.removing(attempt.assumed).text
            fits[key] =
              fits[key]
              ?? Fit(
                network: network, assumed: attempt.assumed, names: names, folded: folded,
                alternatives: attempt.alternatives, asked: attempt.asked)
          } else {
            differences.append((architecture.info.name, difference))
          }
        }
      }
    }
    if fits.count > 1 { throw RegistryError.ambiguous(fits.values.map(\.network.label).sorted()) }
    return (fits.values.first, weights, differences)
  }

  /// The three architectures that come nearest by shapes or by names, each with the configuration
  /// that does: of those that propose nothing, a preset.
  private func nearest(
    to weights: WeightIndex, _ candidates: [AnyArchitecture],
    _ differences: [Difference]
  ) -> [StateDictDifference] {
    // To nothing nothing comes near.
    if weights.shapes.isEmpty { return [] }
    var nearest: [String: StateDictDifference] = [:]
    func consider(_ difference: StateDictDifference, of architecture: String) {
      if let known = nearest[architecture], known.rank <= difference.rank { return }
      nearest[architecture] = difference
    }
    for (architecture, difference) in differences { consider(difference, of: architecture) }
    for architecture in candidates where nearest[architecture.info.name] == nil {
      for preset in architecture.presets {
        guard let network = try? architecture.network(preset.configuration),
          // An interpolation has no weights that others could be like.
          !network.graph.parameters.isEmpty
        else { continue }
        consider(
          StateDictDifference(weights, network.graph, network: network.label),
          of: architecture.info.name)
      }
    }
    return Array(
      nearest.values.sorted { ($0.rank, $0.network) < ($1.rank, $1.network) }.prefix(3))
  }
}

extension AnyArchitecture {
  /// Configurations to try: those proposed, with what the user states; for a stated architecture,
  /// also the presets, so that there is a nearest network to compare with.
  fileprivate func attempts(
    _ weights: WeightIndex, _ overrides: JSON, named: Bool
  ) throws -> [Proposal<JSON>] {
    let stated = overrides.object ?? [:]
    let proposals = try proposals(for: weights)
    if named {
      // Before anything else, so that a slip in a member's name is reported as such. With what is
      // proposed the members may go together that with the default preset's do not.
      do {
        _ = try network(overrides)
      } catch let error as GraphError {
        if case .unknownOption = error { throw error }
        let fitting = proposals.first { proposal in
          let proposed = proposal.configuration.object ?? [:]
          return (try? network(.object(proposed.merging(stated) { $1 }))) != nil
        }
        if fitting == nil { throw error }
      }
    }
    let attempts =
      proposals + (named && proposals.isEmpty ? presets.map { Proposal($0.configuration) } : [])
    return attempts.compactMap { proposal in
      guard let proposed = proposal.configuration.object else { return nil }
      return proposal.map { _ in .object(proposed.merging(stated) { $1 }) }
        .leavingOut { stated[$0] != nil }
    }
  }
}

extension WeightIndex {
  /// The index under canonical names; nil where the map would give two tensors one name, or where
  /// it changes nothing.
  fileprivate func renamed(by names: NameMap?) -> WeightIndex? {
    guard let names else { return self }
    var shapes: [String: [Int]] = [:]
    for (name, shape) in self.shapes {
      guard shapes.updateValue(shape, forKey: names.canonical(name)) == nil else { return nil }
    }
    if shapes == self.shapes { return nil }
    return WeightIndex(
      shapes, values: Dictionary(values.map { (names.canonical($0), $1) }) { $1 })
  }
}

extension Network {
  /// The architecture and what its configuration says, for messages.
  public var label: String { "\(architecture) \(configuration.text)" }
}

extension JSON {
  /// The object less some members.
  fileprivate func removing(_ names: [String]) -> JSON {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { !names.contains($0.key) })
  }
}
