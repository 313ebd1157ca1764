internal import AviaryCheckpoint
internal import AviaryFormats
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

/// What a training begins with: initial weights, those of a checkpoint as far as they agree, or the
/// whole state of a training that goes on.
struct TrainingStart {
  /// All parameters.
  let parameters: [String: Tensor]
  /// Their average; nil for none.
  let average: WeightAverage?
  let optimizer: Optimizer
  /// The discriminator; nil for none.
  let adversary: Adversary?
  /// The history of the weights.
  let provenance: [Card.Provenance]
  /// What the user should know.
  let messages: [String]

  init(
    _ recipe: Recipe, _ graph: Graph, _ zoo: Zoo, _ resumed: ResumedTraining?, _ engine: Engine
  ) throws {
    let learned = TrainingStart.learned(graph)
    let adversarial = try recipe.adversarial.map { recipe throws in
      (recipe: recipe, graph: try TrainingStart.discriminator(recipe, graph, zoo.registry))
    }
    func discriminator(
      _ recipe: AdversarialRecipe, _ graph: Graph, _ parameters: [String: Tensor],
      _ optimizer: Optimizer
    ) throws -> Adversary {
      Adversary(
        try Discriminator(graph, parameters: parameters, kind: recipe.kind, engine: engine),
        optimizer, weight: recipe.weight, start: recipe.start)
    }
    if let resumed, let state = resumed.state.optimizer {
      parameters = resumed.weights
      average = recipe.average.map { WeightAverage(resumed.average, of: graph, decay: $0) }
      optimizer = try Optimizer(recipe.optimizer, parameters: learned, resuming: state)
      adversary = try adversarial.map { adversarial throws in
        guard let state = resumed.state.adversary, let memory = state.optimizer else {
          throw TrainingError.training(
            "adversarial", expected: "a discriminator in the checkpoint to resume from",
            found: "none")
        }
        let difference = Difference(
          WeightIndex(state.weights), adversarial.graph, network: adversarial.recipe.architecture)
        guard difference.isEmpty else {
          throw AviaryError.weightsDoNotFit(path: "adversarial", difference)
        }
        let weights = try state.weights.loaded()
        return try discriminator(
          adversarial.recipe, adversarial.graph,
          Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }),
          Optimizer(
            adversarial.recipe.optimizer, parameters: TrainingStart.learned(adversarial.graph),
            resuming: memory))
      }
      (provenance, messages) = ([], [])
      return
    }
    var parameters = try Initializer(graph, recipe.initialization, seed: recipe.seed).parameters()
    let source = try recipe.from.map { try StartingWeights($0, for: graph, in: zoo) }
    if let source { parameters.merge(source.tensors) { $1 } }
    self.parameters = parameters
    average = recipe.average.map { WeightAverage(parameters, of: graph, decay: $0) }
    optimizer = try Optimizer(recipe.optimizer, parameters: learned)
    adversary = try adversarial.map { adversarial throws in
      // PyTorch's way to begin is what discriminators are published with.
      try discriminator(
        adversarial.recipe, adversarial.graph,
        Initializer(adversarial.graph, .pytorch, seed: recipe.seed).parameters(),
        Optimizer(
          adversarial.recipe.optimizer, parameters: TrainingStart.learned(adversarial.graph)))
    }
    provenance = source?.provenance ?? []
    messages = source.map { [$0.report] } ?? []
  }

  private static func learned(_ graph: Graph) -> [(name: String, shape: [Int])] {
    graph.parameters.filter { $0.role == .weight }.map { ($0.name, $0.shape) }
  }

  /// The discriminator of a recipe, for pictures of a network's channels.
  private static func discriminator(
    _ recipe: AdversarialRecipe, _ graph: Graph, _ registry: Registry
  ) throws -> Graph {
    let architecture = try registry[recipe.architecture]
    guard architecture.info.kind == .discriminator else {
      throw TrainingError.recipe(
        field: "adversarial.architecture", expected: "a discriminator",
        found: "\(recipe.architecture), of kind '\(architecture.info.kind.rawValue)'")
    }
    let stated = recipe.configuration?.object ?? [:]
    let channels: [String: JSON] = ["channels": .int(graph.inputs[0].channels)]
    return try architecture.network(.object(channels.merging(stated) { $1 })).graph
  }

  /// The feature network of a perceptual loss.
  static func features(_ recipe: PerceptualRecipe, registry: Registry) throws -> FeatureNetwork {
    let source = try StoredModel(opening: recipe.checkpoint, registry: registry)
    return try FeatureNetwork(
      source.network.graph, picture: source.network.picture, layers: recipe.layers
    ) { parameter in
      guard let tensor = try source.weights.tensor(parameter.name) else {
        throw TrainingError.recipe(
          field: "perceptual.checkpoint", expected: parameter.name, found: "nothing")
      }
      return tensor
    }
  }

  /// How many pairs a process is given at once.
  static func batchShare(
    _ recipe: Recipe, _ communicator: any Communicator
  ) throws(TrainingError) -> Int {
    let parts = communicator.size * recipe.batch.accumulation
    guard recipe.batch.size % parts == 0 else {
      throw .recipe(
        field: "batch.size",
        expected: "a multiple of \(parts), of \(communicator.size) processes and "
          + "\(recipe.batch.accumulation) parts,", found: "\(recipe.batch.size)")
    }
    return recipe.batch.size / parts
  }

  /// A batch in equal parts.
  static func parts(of batch: Batch, _ count: Int) throws -> [Batch] {
    if count == 1 { return [batch] }
    let inputs = try batch.input.split(into: count), targets = try batch.target.split(into: count)
    return zip(inputs, targets).map { Batch(input: $0, target: $1) }
  }
}

extension Tensor {
  /// Equal parts along the first dimension.
  fileprivate func split(into count: Int) throws -> [Tensor] {
    let shape = [shape[0] / count] + shape.dropFirst()
    return try (0..<count).map { part in
      try unsafe Tensor(shape: shape, elementType: elementType) { target in
        unsafe withUnsafeBytes { source in
          let start = part * target.count
          unsafe target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source[start..<start + target.count]))
        }
      }
    }
  }
}
