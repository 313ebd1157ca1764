public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// A network that learns to tell results from targets, and the loss that it gives another network.
///
/// In a training step, `evaluate` gives the gradient that makes the network's results look more
/// like targets to the discriminator; `learn` then trains the discriminator. Results and targets go
/// through it in separate batches, so that batch normalisation sees one kind at a time.
public struct Discriminator: Loss {
  /// `adversarial`
  public let name = "adversarial"
  /// All its trained parameters, by name: what is saved and restored.
  public var parameters: [String: Tensor]
  private let graph: Graph
  private let objective: AdversarialObjective
  private let engine: Engine
  private var plans: Plans?

  /// Plans for one batch shape. A class, because plans cannot be copied; between calls they hold no
  /// state that matters.
  private final class Plans {
    let shape: [Int]
    /// Backward to the images.
    var images: TrainingPlan
    /// Backward to the parameters.
    var parameters: TrainingPlan

    init(_ graph: Graph, shape: [Int], _ engine: Engine) throws(ComputeError) {
      let images = try TrainingPlan(
        graph, inputShapes: [shape], gradientsOf: .inputs, engine: engine)
      parameters = try TrainingPlan(
        graph, inputShapes: [shape], gradientsOf: .parameters, engine: engine)
      self.images = images
      self.shape = shape
    }
  }

  /// A discriminator.
  ///
  /// - Parameters:
  ///   - graph: maps an image, in the network's own value range, to scores of any number, positive
  ///     for what it takes for a target.
  ///   - parameters: the initial parameters, float32.
  ///   - kind: the adversarial loss.
  ///   - engine: the engine to run on.
  /// - Throws: `TrainingError.recipe` for a graph with several inputs or outputs.
  public init(
    _ graph: Graph, parameters: [String: Tensor], kind: AdversarialRecipe.Kind, engine: Engine
  ) throws(TrainingError) {
    guard graph.inputs.count == 1, graph.outputs.count == 1 else {
      throw .recipe(
        field: "adversarial.architecture", expected: "a network of one input and one output",
        found: "\(graph.inputs.count) and \(graph.outputs.count)")
    }
    (self.graph, self.parameters, self.engine) = (graph, parameters, engine)
    objective = AdversarialObjective(kind: kind)
  }

  /// Plans the discriminator.
  public mutating func prepare(for shape: [Int]) throws {
    do throws(ComputeError) { _ = try plans(for: shape) } catch {
      throw error.ofPatch(results: shape, part: "the discriminator")
    }
  }

  /// The loss of the network that made the results, and its gradient: small if the discriminator
  /// takes them for targets.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes, `ComputeError` for images
  ///   that the discriminator cannot take.
  public mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    let plans = try plans(result, target)
    let input = graph.inputs[0].name, output = graph.outputs[0].name
    var targetScores: [Float] = []
    if objective.comparesWithTargets {
      targetScores =
        try plans.images.forward([input: target], parameters: parameters).outputs[output]?.floats
        ?? []
    }
    // Results last: the backward pass starts from them.
    let scores = try plans.images.forward([input: result], parameters: parameters).outputs
    guard let scores = scores[output] else { throw missing(output) }
    let loss = objective.generator(results: scores.floats, targets: targetScores)
    let gradients = try plans.images.backward([
      output: try Tensor(shape: scores.shape, loss.results)
    ])
    guard let gradient = gradients.inputs[input] else { throw missing(input) }
    return LossValue(loss.value, gradient: gradient)
  }

  /// Trains the discriminator for one step.
  ///
  /// - Parameters:
  ///   - result: the network's output, float32 N x channels x height x width.
  ///   - target: the expected output, of the same shape.
  ///   - update: updates the parameters from their gradients.
  /// - Returns: the discriminator's loss before the step.
  /// - Throws: as `evaluate`, and errors from `update`.
  public mutating func learn(
    _ result: Tensor, _ target: Tensor,
    update: (inout [String: Tensor], _ gradients: [String: Tensor]) throws -> Void
  ) throws -> Double {
    let plans = try plans(result, target)
    let input = graph.inputs[0].name, output = graph.outputs[0].name
    // In relativistic losses, the derivatives for each kind's scores depend on the other's. The
    // backward pass starts from the last forward pass, so the plan runs on the targets twice.
    let targetPass = try plans.parameters.forward([input: target], parameters: parameters)
    // Running statistics are updated once for each kind.
    for (name, value) in targetPass.statistics { parameters[name] = value }
    let resultPass = try plans.parameters.forward([input: result], parameters: parameters)
    for (name, value) in resultPass.statistics { parameters[name] = value }
    guard let targetScores = targetPass.outputs[output], let scores = resultPass.outputs[output]
    else { throw missing(output) }
    let loss = objective.discriminator(results: scores.floats, targets: targetScores.floats)
    var gradients = try plans.parameters.backward([
      output: try Tensor(shape: scores.shape, loss.results)
    ]).parameters
    _ = try plans.parameters.forward([input: target], parameters: parameters)
    let others = try plans.parameters.backward([
      output: try Tensor(shape: scores.shape, loss.targets)
    ]).parameters
    for (name, gradient) in others { gradients[name]?.add(gradient, times: 1) }
    try update(&parameters, gradients)
    return loss.value
  }

  private func missing(_ name: String) -> TrainingError {
    .training("adversarial: \(name)", expected: "a tensor", found: "none")
  }

  /// The plans for these batch shapes.
  private mutating func plans(_ result: Tensor, _ target: Tensor) throws -> Plans {
    try Pointwise.check(name, result, target)
    return try plans(for: result.shape)
  }

  private mutating func plans(for shape: [Int]) throws(ComputeError) -> Plans {
    if let plans, plans.shape == shape { return plans }
    // Release the old plans first: both may not fit into memory.
    plans = nil
    let made = try Plans(graph, shape: shape, engine)
    plans = made
    return made
  }
}

/// A discriminator that is trained alongside the network, and the weight of its loss.
public struct Adversary {
  /// Tells results from targets.
  public var discriminator: Discriminator
  /// Its optimizer.
  public var optimizer: Optimizer
  /// The weight of its loss relative to the others.
  public let weight: Double
  /// The number of steps after which it takes effect and is trained.
  public let start: Int
  private var gradients = GradientSum()

  /// A discriminator with its own optimizer.
  public init(_ discriminator: Discriminator, _ optimizer: Optimizer, weight: Double, start: Int) {
    (self.discriminator, self.optimizer) = (discriminator, optimizer)
    (self.weight, self.start) = (weight, start)
  }

  /// Prepares for results of a shape, even if it takes effect much later.
  mutating func prepare(for shape: [Int]) throws { try discriminator.prepare(for: shape) }

  /// Trains on a part of a batch; the parameters are updated with the last part.
  ///
  /// - Throws: `TrainingError.notFinite` for a gradient that is not finite, in which case no step
  ///   is taken; errors from the discriminator and the optimizer.
  mutating func learn(
    _ result: Tensor, _ target: Tensor, isLastPart: Bool, rate: Double,
    _ communicator: any Communicator
  ) throws {
    var found: [String: Tensor] = [:]
    _ = try discriminator.learn(result, target) { found = $1 }
    try gradients.add(found)
    guard isLastPart else { return }
    var mean = gradients.mean()
    try communicator.average(&mean, mean.keys.sorted())
    // Otherwise a checkpoint might be written before the next step's loss reveals the problem.
    let norm = GradientNorm.of(mean)
    guard norm.isFinite else {
      throw TrainingError.notFinite(
        "step \(optimizer.stepCount + 1) of the discriminator: its gradient",
        expected: "finite numbers", found: norm.isNaN ? "no numbers" : "infinite ones")
    }
    try optimizer.step(&discriminator.parameters, gradients: mean, rate: rate)
  }
}
