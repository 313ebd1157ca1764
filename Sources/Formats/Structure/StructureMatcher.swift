public import AviaryCheckpoint
public import AviaryGraph

/// Recognises one of our architectures in a file: by names, or by kinds, order and shapes of its
/// layers. Keras knows them by class and counter; in a state dict they have any names.
public enum StructureMatcher {
  /// Files of more layers are no networks of ours.
  private static let limit = 4096
  /// More ways than these are not tried for a state dict: its names say too little.
  private static let ways = 4096

  /// The architecture that has exactly a file's weights.
  ///
  /// The file's own names are tried first, with the names of published sources; then its layers are
  /// told by kind and place. Every attempt ends with the architecture's own detection, which
  /// compares all shapes.
  ///
  /// - Parameters:
  ///   - name: the only architecture to consider; nil for all.
  ///   - overrides: members of the configuration that the user states.
  ///   - shuffle: the order of channels before a pixel shuffle; nil for that of the file's
  ///     framework.
  ///   - byNamesAlone: whether layers are told by their names only.
  /// - Returns: nil where no architecture fits.
  /// - Throws: `RegistryError.ambiguous` where several networks fit, or one in several ways;
  ///   `GraphError` for overrides that the architecture does not know.
  public static func recognise(
    _ file: WeightsFile, registry: Registry, as name: String? = nil, overrides: JSON = [:],
    shuffle: ChannelOrder? = nil, byNamesAlone: Bool = false
  ) throws -> StructureMatch? {
    guard
      var found = try named(file, registry, name, overrides)
        ?? (byNamesAlone ? nil : structural(file, registry, name, overrides))
    else { return nil }
    let conventions = OriginConventions(file.origin.framework)
    found.fit = try conventions.applied(
      to: found.fit, WeightIndex(found.tensors, values: registry.valuesRead), registry,
      overrides: overrides,
      notes: &found.notes)
    let order = shuffle ?? (file.origin.framework == .keras ? .tensorflow : .pytorch)
    try ShuffleOrder(found.fit.network.graph).apply(
      order, isStated: shuffle != nil, to: &found)
    return found
  }

  /// By the file's own names.
  private static func named(
    _ file: WeightsFile, _ registry: Registry, _ name: String?, _ overrides: JSON
  ) throws -> StructureMatch? {
    let index = try WeightIndex(file.tensors, values: registry.valuesRead)
    guard let fit = try registry.fit(index, as: name, overrides: overrides) else { return nil }
    let tensors = file.tensors.folded(fit.folded)
    return StructureMatch(
      fit: fit, tensors: tensors.renamed(fit.canonical),
      renamed: renamings(tensors.names, fit.canonical), notes: fit.folded.notes)
  }

  /// By the layers' kinds and places.
  private static func structural(
    _ file: WeightsFile, _ registry: Registry, _ name: String?, _ overrides: JSON
  ) throws -> StructureMatch? {
    let stateDict = file.withLayersOfStateDict()
    let file = stateDict?.file ?? file
    let layers = file.layers
    guard !layers.isEmpty, layers.count <= limit,
      let tree = LayerTree(
        layers.map { ($0.path, $0.kind) }) ?? LayerTree(layers.map { ([$0.name], $0.kind) })
    else { return nil }
    let counts = Dictionary(layers.map { ($0.kind, 1) }, uniquingKeysWith: +)
    // Feature networks are chains of like layers, in any division into levels: without a name,
    // almost every chain would be one, too.
    let architectures =
      try name.map { [try registry[$0]] }
      ?? registry.architectures.filter {
        $0.info.kind == .restoration && $0.info.matchesStructure
      }
    var found: [String: StructureMatch] = [:]
    var budget = stateDict == nil ? Int.max : ways
    for lengths in [false, true] where found.isEmpty {
      for architecture in architectures {
        let candidates = Candidates(
          architecture, counts, lengths: lengths, forStateDict: stateDict != nil)
        for plan in candidates.plans {
          let attempt = Attempt(
            file: file, plan: plan, registry: registry, architecture: architecture.info.name,
            overrides: overrides)
          for var fit in attempt.fits(tree, budget: &budget) {
            fit.notes += (stateDict?.folded ?? []).notes
            found["\(fit.fit.network.label) \(fit.renamed)"] = fit
          }
        }
      }
    }
    // Of what was not tried nobody knows whether it fits as well.
    guard budget >= 0 else { return nil }
    guard found.count > 1 else { return found.values.first }
    let networks = Set(found.values.map(\.fit.network.label))
    if networks.count > 1 { throw RegistryError.ambiguous(networks.sorted()) }
    throw RegistryError.ambiguous(Attempt.differences(Array(found.values)))
  }

  /// The names that change.
  static func renamings(
    _ names: [String], _ canonical: (String) -> String
  ) -> [StructureMatch.Renaming] {
    names.compactMap { name in
      let new = canonical(name)
      return new == name ? nil : StructureMatch.Renaming(from: name, to: new)
    }
  }
}

extension [FoldedLayer] {
  /// What was folded, in words.
  fileprivate var notes: [String] {
    FoldedLayer.Kind.allCases.compactMap { kind in
      let layers = filter { $0.kind == kind }.map(\.layer)
      guard let first = layers.first else { return nil }
      return "\(kind.rawValue) of \(layers.count) layer\(layers.count == 1 ? "" : "s") folded "
        + "(\(first)\(layers.count == 1 ? "" : ", …")); the form for training is not kept"
    }
  }
}

/// A network of ours that has exactly the weights of a file, whatever the file calls its layers.
public struct StructureMatch: Sendable {
  /// Two names of one tensor.
  public struct Renaming: Codable, Hashable, Sendable {
    /// In the file, as its reader names it.
    public var from: String
    /// In the network.
    public var to: String
  }

  /// The network.
  public var fit: Fit
  /// The file's tensors under the network's names, with all steps noted that lead to its layout.
  public var tensors: TensorSource
  /// The tensors whose names differ.
  public var renamed: [Renaming]
  /// What the file does not show and was assumed, in words, besides the fit's members.
  public var assumed: [String] = []
  /// How the layers were told, in words.
  public var notes: [String] = []
}

/// What a file's framework says of a network that no shape shows: whose borders its strided and
/// transposed convolutions have. Keras and PyTorch differ by one pixel there.
public struct OriginConventions: Sendable {
  private let value: String?
  /// What a batch normalisation adds to the variance unless told otherwise.
  let epsilon: Double?

  /// The conventions of a file's framework; ONNX, ncnn and bare arrays have none of their own.
  public init(_ framework: Origin.Framework) {
    value =
      switch framework {
      case .keras: "keras"
      case .pytorch: "pytorch"
      case .onnx, .ncnn, .arrays: nil
      }
    epsilon =
      switch framework {
      case .keras: 1e-3
      case .pytorch, .arrays: 1e-5
      case .onnx, .ncnn: nil
      }
  }

  /// The fit with the framework's borders, where its configuration has a member `origin` that was
  /// only assumed.
  ///
  /// - Parameters:
  ///   - weights: the tensors, under the names under which the fit was found.
  ///   - overrides: what the user states, which counts first.
  ///   - notes: gets a line where the origin was settled.
  /// - Throws: what detection throws.
  public func applied(
    to fit: Fit, _ weights: WeightIndex, _ registry: Registry, overrides: JSON = [:],
    notes: inout [String]
  ) throws -> Fit {
    guard let value, fit.assumed.contains("origin"), overrides["origin"] == nil else { return fit }
    var stated = overrides.object ?? [:]
    stated["origin"] = .string(value)
    // An origin that the configuration cannot have: the fit stays, and its origin assumed.
    guard
      var settled = try? registry.fit(
        weights, as: fit.network.architecture, overrides: .object(stated))
    else { return fit }
    // The tensors have canonical names by now; what they were translated from stays said.
    (settled.names, settled.folded) = (fit.names, fit.folded)
    notes.append("origin \"\(value)\": the framework that the file is of")
    return settled
  }
}
