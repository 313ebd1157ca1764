public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// A network that learns to tell results from targets, and what another network learns of it.
///
/// In a step of training `evaluate` says how the network's results should change to be taken for
/// targets, and `learn` then makes the discriminator better at telling them. Results and targets go
/// through it in batches of their own, so that batch normalisation sees one kind at a time.
public struct Discriminator: Loss {
  /// `adversarial`
  public let name = "adversarial"
  /// All that it has learned, by the parameters' names: what is saved and restored.
  public var parameters: [String: Tensor]
  private let graph: Graph
  private let objective: AdversarialObjective
  private let engine: Engine
  private var plans: Plans?

  /// Plans for batches of one shape. A class, because plans cannot be copied; between calls they hold
  /// nothing that matters.
  private final class Plans {
    let shape: [Int]
    /// Back to the pictures.
    var pictures: TrainingPlan
    /// Back to the parameters.
    var parameters: TrainingPlan

    init(_ graph: Graph, shape: [Int], _ engine: Engine) throws(ComputeError) {
      let pictures = try TrainingPlan(
        graph, inputShapes: [shape], gradientsOf: .inputs, engine: engine)
      parameters = try TrainingPlan(
        graph, inputShapes: [shape], gradientsOf: .parameters, engine: engine)
      self.pictures = pictures
      self.shape = shape
    }
  }

  /// A discriminator.
  ///
  /// - Parameters:
  ///   - graph: from a picture, in the terms of the network that learns against it, to scores of any
  ///     number, above 0 for what it takes for a target.
  ///   - parameters: what it begins with, float32.
  ///   - kind: what both learn from.
  ///   - engine: what it runs on.
  /// - Throws: `TrainingError.recipe` for a graph of several inputs or outputs.
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

  /// The loss of the network that made the results, and its gradient: small where the discriminator
  /// takes them for targets.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes, `ComputeError` for pictures
  ///   that the discriminator cannot take.
  public mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    let plans = try plans(result, target)
    let input = graph.inputs[0].name, output = graph.outputs[0].name
    var targetScores: [Float] = []
    if objective.comparesWithTargets {
      targetScores =
        try plans.pictures.forward([input: target], parameters: parameters).outputs[output]?.floats
        ?? []
    }
    // The results last: back from them the plan goes.
    let scores = try plans.pictures.forward([input: result], parameters: parameters).outputs
    guard let scores = scores[output] else { throw missing(output) }
    let loss = objective.generator(results: scores.floats, targets: targetScores)
    let gradients = try plans.pictures.backward([
      output: try Tensor(shape: scores.shape, loss.results)
    ])
    guard let gradient = gradients.inputs[input] else { throw missing(input) }
    return LossValue(loss.value, gradient: gradient)
  }

  /// Makes one step of its own.
  ///
  /// - Parameters:
  ///   - result: what a network gave, float32 N x channels x height x width.
  ///   - target: what it ought to give, of the same shape.
  ///   - update: changes the parameters by their gradients.
  /// - Returns: the discriminator's loss, before the step.
  /// - Throws: as `evaluate`, and what `update` throws.
  public mutating func learn(
    _ result: Tensor, _ target: Tensor,
    update: (inout [String: Tensor], _ gradients: [String: Tensor]) throws -> Void
  ) throws -> Double {
    let plans = try plans(result, target)
    let input = graph.inputs[0].name, output = graph.outputs[0].name
    // The derivatives by either's scores depend on the other's, where they are compared. The plan
    // goes back from what it saw last, so that it sees the targets twice.
    let targetPass = try plans.parameters.forward([input: target], parameters: parameters)
    // Running statistics follow what is seen, once each.
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

  /// The plans for batches of these shapes.
  private mutating func plans(_ result: Tensor, _ target: Tensor) throws -> Plans {
    try Pointwise.check(name, result, target)
    return try plans(for: result.shape)
  }

  private mutating func plans(for shape: [Int]) throws(ComputeError) -> Plans {
    if let plans, plans.shape == shape { return plans }
    // The old ones first: both may not fit into memory.
    plans = nil
    let made = try Plans(graph, shape: shape, engine)
    plans = made
    return made
  }
}
