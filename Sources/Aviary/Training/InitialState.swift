internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryFiles
internal import AviaryFormats
public import AviaryGraph
internal import AviaryTensor
public import AviaryTraining

/// The state that a training starts from: initial weights, those of a checkpoint where they agree,
/// or the whole state of a resumed training.
struct InitialState {
  /// All parameters.
  let parameters: [String: Tensor]
  /// Their moving average; nil for none.
  let average: WeightAverage?
  let optimizer: Optimizer
  /// The discriminator; nil for none.
  let adversary: Adversary?
  /// The history of the weights, if they come from a checkpoint.
  let provenance: [Card.Provenance]
  /// Messages for the user.
  let messages: [String]

  /// - Throws: `TrainingError` for a recipe that does not fit its checkpoint; errors from reading
  ///   checkpoints and finding architectures.
  init(
    _ recipe: Recipe, _ graph: Graph, _ zoo: Zoo, _ resumed: ResumePoint?, _ engine: Engine
  ) throws {
    if let resumed, let state = resumed.state.optimizer {
      parameters = resumed.weights
      average = recipe.emaDecay.map { WeightAverage(resumed.average, of: graph, decay: $0) }
      optimizer = try Optimizer(recipe.optimizer, parameters: graph.learned, resuming: state)
      (provenance, messages) = ([], [])
    } else {
      let initial = try Initializer(graph, recipe.initialization, seed: recipe.seed).parameters()
      let source = try recipe.from.map { try StartingWeights($0, for: graph, in: zoo) }
      let begun = initial.merging(source?.tensors ?? [:]) { $1 }
      parameters = begun
      average = recipe.emaDecay.map { WeightAverage(begun, of: graph, decay: $0) }
      optimizer = try Optimizer(recipe.optimizer, parameters: graph.learned)
      (provenance, messages) = (source?.provenance ?? [], source.map { [$0.report] } ?? [])
    }
    adversary = try recipe.adversarial.map { adversarial throws in
      try Adversary(
        adversarial, against: graph, zoo.registry, seed: recipe.seed,
        resuming: resumed?.state, engine)
    }
  }
}

extension Adversary {
  /// A recipe's discriminator, for images with the network's channels.
  ///
  /// - Parameters:
  ///   - graph: the network that is trained against it.
  ///   - state: of the resumed training; nil for a new one.
  fileprivate init(
    _ recipe: AdversarialRecipe, against graph: Graph, _ registry: Registry, seed: UInt64,
    resuming state: TrainingState?, _ engine: Engine
  ) throws {
    let architecture = try registry[recipe.architecture]
    guard architecture.info.kind == .discriminator else {
      throw TrainingError.recipe(
        field: "adversarial.architecture", expected: "a discriminator",
        found: "\(recipe.architecture), of kind '\(architecture.info.kind.rawValue)'")
    }
    let stated = recipe.configuration?.object ?? [:]
    let channels: [String: JSON] = ["channels": .int(graph.inputs[0].channels)]
    let own = try architecture.network(.object(channels.merging(stated) { $1 })).graph
    let parameters: [String: Tensor]
    let optimizer: Optimizer
    if let state {
      guard let kept = state.adversary, let memory = kept.optimizer else {
        throw TrainingError.training(
          "adversarial", expected: "a discriminator in the checkpoint to resume from",
          found: "none")
      }
      let difference = StateDictDifference(
        WeightIndex(kept.weights), own, network: recipe.architecture)
      guard difference.isEmpty else {
        throw AviaryError.weightsDoNotFit(path: "adversarial", difference)
      }
      let weights = try kept.weights.loaded()
      parameters = Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) })
      optimizer = try Optimizer(recipe.optimizer, parameters: own.learned, resuming: memory)
    } else {
      // Published discriminators use PyTorch's initialization.
      parameters = try Initializer(own, .pytorch, seed: seed).parameters()
      optimizer = try Optimizer(recipe.optimizer, parameters: own.learned)
    }
    self.init(
      try Discriminator(own, parameters: parameters, kind: recipe.kind, engine: engine), optimizer,
      weight: recipe.weight, start: recipe.start)
  }
}

extension FeatureNetwork {
  /// The feature network of a perceptual loss.
  init(_ recipe: PerceptualRecipe, _ zoo: Zoo) throws {
    let source = try StoredModel(
      opening: zoo.weightsFile(recipe.checkpoint), registry: zoo.registry)
    try self.init(
      source.network.graph, picture: source.network.picture, layers: recipe.layers
    ) { parameter in
      guard let tensor = try source.weights.tensor(parameter.name) else {
        throw TrainingError.recipe(
          field: "perceptual.checkpoint", expected: parameter.name, found: "nothing")
      }
      return tensor
    }
  }
}

extension Graph {
  /// The parameters that an optimizer updates.
  fileprivate var learned: [(name: String, shape: [Int])] {
    parameters.filter { $0.role == .weight }.map { ($0.name, $0.shape) }
  }
}

/// Weights of a checkpoint that a training starts from, where names and shapes agree: a network for
/// x3 or x4 starts from one for x2, without its tail.
struct StartingWeights {
  /// The parameters taken from the checkpoint.
  let tensors: [String: Tensor]
  /// The names of those that are initialized anew, in the network's order.
  let missing: [String]
  /// The history of the weights taken, ending with the checkpoint itself.
  let provenance: [Card.Provenance]
  private let reference: String
  /// What the import of another framework's file assumed.
  private let assumed: [String]

  /// - Parameter reference: a path or a name, as `Zoo.model` takes it.
  /// - Throws: errors from `Zoo.model`; `TrainingError.recipe` if nothing agrees.
  init(_ reference: String, for graph: Graph, in zoo: Zoo) throws {
    self.reference = reference
    let (source, report) = try zoo.model(reference)
    assumed = report?.assumed ?? []
    var tensors: [String: Tensor] = [:]
    var missing: [String] = []
    for parameter in graph.parameters where parameter.role != .nonPersistent {
      if let found = source.weights[parameter.name], found.shape == parameter.shape {
        tensors[parameter.name] = found.converted(to: .float32)
      } else {
        missing.append(parameter.name)
      }
    }
    guard !tensors.isEmpty else {
      throw TrainingError.recipe(
        field: "from", expected: "weights of the network's names and shapes",
        found: "none among the \(source.weights.count) of \(reference)")
    }
    (self.tensors, self.missing) = (tensors, missing)
    let taken = "trained further, from \(tensors.count) of \(tensors.count + missing.count) tensors"
    var history = source.card.provenance
    if report == nil {
      history.append(
        Card.Provenance(
          file: reference.fileName,
          format: "Aviary checkpoint, content \(source.checkpoint.contentHash)",
          conversions: [taken]))
    } else if !history.isEmpty {
      // The import has written the file down.
      history[history.count - 1].conversions.append(taken)
    }
    provenance = history
  }

  /// One line that says what was taken.
  var report: String {
    let all = tensors.count + missing.count
    let left = missing.prefix(4).joined(separator: ", ") + (missing.count > 4 ? ", …" : "")
    return "\(reference): \(tensors.count) of \(all) tensors taken"
      + (missing.isEmpty ? "" : "; begun anew: \(left)")
      + (assumed.isEmpty ? "" : "; assumed: \(assumed.joined(separator: ", "))")
  }
}

extension Recipe {
  /// The recipe for the network whose weights it starts from, where it names none, and with that
  /// network's configuration, where it states neither a preset nor members of its own. A scale that the
  /// recipe states stays: a network for x4 starts from one for x2.
  ///
  /// - Returns: one line that says what was taken from the file; nil where nothing was.
  /// - Throws: errors from reading the file; `TrainingError.recipe` for weights of a network that no
  ///   architecture makes.
  public mutating func takeNetwork(in zoo: Zoo) throws -> String? {
    guard let from, preset == nil, configuration == nil else { return nil }
    let network = try StoredModel(
      opening: zoo.weightsFile(from), registry: zoo.registry
    ).network
    guard !network.architecture.isEmpty else {
      if !architecture.isEmpty { return nil }
      throw TrainingError.recipe(
        field: "from", expected: "weights of an architecture (see 'aviary list')",
        found: "a network of the file's own in \(from)")
    }
    guard architecture.isEmpty || architecture == network.architecture else { return nil }
    architecture = network.architecture
    var members = network.configuration.object ?? [:]
    if scale != nil { members["scale"] = nil }
    configuration = .object(members)
    return "\(from): the network is \(network.label)"
  }
}

/// The network that a recipe describes, checked before any time is spent on it.
public struct RecipeNetwork: Hashable, Sendable {
  /// The network; its image description says which scale it is trained for if nothing else does.
  public let network: Network
  /// The geometry that maps input patches to results.
  public let geometry: PatchGeometry

  /// How many times larger results are than inputs.
  public var scale: Int { geometry.scale }

  /// Finds the architecture and builds it.
  ///
  /// - Throws: `RegistryError` for an unknown architecture or preset, `GraphError` for a
  ///   configuration that describes no network, `TrainingError` for an architecture that cannot be
  ///   trained, and for a scale or a patch size that it does not support.
  public init(_ recipe: Recipe, registry: Registry) throws {
    let architecture = try registry[recipe.architecture]
    let name = architecture.info.name
    guard architecture.info.kind == .restoration else {
      throw TrainingError.training(
        name, expected: "an architecture that restores images",
        found: "one of kind '\(architecture.info.kind.rawValue)'")
    }
    var network = try RecipeNetwork.network(recipe, architecture)
    guard network.graph.parameters.contains(where: { $0.role == .weight }) else {
      throw TrainingError.training(
        name, expected: "an architecture with parameters to train", found: "none")
    }
    let enlargesFirst = network.picture.enlargeFirst != .no
    let own = network.graph.scale(ofOutput: 0)?.numerator
    let scale = recipe.scale ?? (enlargesFirst ? 1 : own ?? 1)
    geometry = try PatchGeometry(
      network.graph, picture: network.picture, scale: scale, patch: recipe.batch.patch)
    if enlargesFirst { network.picture.scales = [scale] }
    self.network = network
  }

  /// The preset with the recipe's changes.
  private static func network(
    _ recipe: Recipe, _ architecture: AnyArchitecture
  ) throws -> Network {
    let preset =
      try recipe.preset.map { name throws(RegistryError) in try architecture.preset(name) }
      ?? architecture.presets[0].configuration
    guard let stated = (recipe.configuration ?? [:]).object else {
      throw TrainingError.recipe(
        field: "configuration", expected: "an object",
        found: recipe.configuration?.kind ?? "nothing")
    }
    var members = (preset.object ?? [:]).merging(stated) { $1 }
    // A network that refines enlarged images can be trained for any scale; one that enlarges is
    // built for its own scale, which the preset states and the recipe may change.
    guard let scale = recipe.scale, let own = members["scale"], own != .int(scale) else {
      return try architecture.network(.object(members))
    }
    let plain = try architecture.network(.object(members))
    let refines =
      plain.picture.enlargeFirst != .no
      && plain.graph.scale(ofOutput: 0) == Ratio(1)
    if refines { return plain }
    guard stated["scale"] == nil else {
      throw TrainingError.recipe(
        field: "scale", expected: "\(own.text), as the configuration says", found: "\(scale)")
    }
    members["scale"] = .int(scale)
    return try architecture.network(.object(members))
  }
}
