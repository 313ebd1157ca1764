internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryFormats
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

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
      let difference = StateDictDifference(WeightIndex(kept.weights), own, network: recipe.architecture)
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
