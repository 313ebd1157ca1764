public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// A network that is being trained, apart from all files and folders: batches go in, and its
/// parameters become better.
///
/// The same batches, threads and processor give the same parameters bit by bit.
public struct Trainer: ~Copyable {
  /// The network.
  public let graph: Graph
  /// Its parameters after the steps so far, float32.
  public private(set) var parameters: [String: Tensor]
  /// Their moving average; nil for none.
  public private(set) var average: WeightAverage?
  /// How they follow gradients.
  public private(set) var optimizer: Optimizer
  /// A discriminator beside the losses; nil for none.
  public private(set) var adversary: Adversary?
  private var losses: CombinedLoss
  private var plan: TrainingPlan
  private let settings: Settings
  private let communicator: any Communicator
  private let engine: Engine
  /// The parameters in the graph's order, in which processes exchange their gradients.
  private let learned: [String]

  /// Plans a network, its losses and its discriminator for batches of one shape.
  ///
  /// - Parameters:
  ///   - batchShape: N, channels, height, width of what the network is given at once.
  ///   - parameters: what it begins with: all of the graph's, float32.
  ///   - communicator: the processes that train together.
  /// - Throws: `ComputeError` for a network that cannot be planned at that size, `TrainingError.patch`
  ///   for results that a loss or the discriminator cannot take.
  public init(
    _ graph: Graph, batchShape: [Int], parameters: [String: Tensor], losses: CombinedLoss,
    optimizer: Optimizer, average: WeightAverage? = nil, adversary: Adversary? = nil,
    settings: Settings = Settings(), communicator: any Communicator = OneProcess(),
    engine: Engine
  ) throws {
    let output = graph.outputs[settings.output]
    let plan = try TrainingPlan(
      graph, inputShapes: [batchShape], outputs: [output.name], options: settings.options,
      engine: engine)
    let resultShape = try graph.shapes(for: [batchShape])[output.value]
    var (losses, adversary) = (losses, adversary)
    try losses.prepare(for: resultShape)
    try adversary?.prepare(for: resultShape)
    (self.graph, self.parameters, self.losses) = (graph, parameters, losses)
    (self.optimizer, self.average, self.adversary) = (optimizer, average, adversary)
    (self.settings, self.communicator, self.engine) = (settings, communicator, engine)
    learned = graph.parameters.filter { $0.role == .weight }.map(\.name)
    self.plan = plan
  }

  /// Steps taken, those before an interruption included.
  public var stepCount: Int { optimizer.stepCount }

  /// What is calculated, in order, and by which algorithms.
  public var planSteps: [PlanStep] { plan.steps }

  /// How each layer is done, for whoever wants the same again (`PlanOptions.choices`).
  public var planChoices: [PlanChoice] { plan.choices }

  /// What is validated and kept: the average, or the parameters themselves.
  public var result: [String: Tensor] { average?.weights ?? parameters }

  /// Takes a step.
  ///
  /// - Parameters:
  ///   - parts: this process's batches, of one shape; their gradients are averaged.
  ///   - rate: the learning rate.
  ///   - adversaryRate: the discriminator's.
  ///   - wishesToStop: whether this process would have it be the last step; the report says whether
  ///     any would.
  /// - Throws: `TrainingError.notFinite` for a loss or a gradient that is not finite, with where it
  ///   began: the parameters are then as they were before. What the losses, the plan and the other
  ///   processes throw.
  public mutating func step(
    _ parts: [Batch], rate: Double, adversaryRate: Double = 0, wishesToStop: Bool = false
  ) throws -> StepReport {
    let (input, output) = (graph.inputs[0].name, graph.outputs[settings.output].name)
    var compute = Duration.zero
    var gradients = GradientSum()
    var values: [Double] = []
    var statistics = GradientSum()
    // The discriminator learns when nothing can go wrong any more with the network's own step.
    var seen: [(result: Tensor, target: Tensor)] = []
    let hasAdversary = stepCount >= adversary?.start ?? .max
    for (number, part) in parts.enumerated() {
      let clock = ContinuousClock()
      var start = clock.now
      let forward = try plan.forward(
        [input: part.input], parameters: parameters, seed: dropoutSeed(part: number))
      compute += clock.now - start
      guard let result = forward.outputs[output] else {
        throw TrainingError.training(output, expected: "a tensor", found: "none")
      }
      var (found, gradient) = try evaluate(result, part.target)
      if hasAdversary { try addAdversary(result, part.target, &found, &gradient) }
      try check(found, part)
      start = clock.now
      let back = try plan.backward([output: gradient])
      compute += clock.now - start
      try gradients.add(back.parameters)
      values = values.isEmpty ? found : zip(values, found).map { $0 + $1 }
      try statistics.add(forward.statistics)
      if hasAdversary { seen.append((result, part.target)) }
    }
    var mean = gradients.mean()
    try communicator.average(&mean, learned)
    // As one process would see the whole batch, but for what the means of the parts differ by.
    var moved = statistics.mean()
    if !moved.isEmpty { try communicator.average(&moved, moved.keys.sorted()) }
    var shared = values.map { $0 / Double(parts.count) } + [wishesToStop ? 1 : 0]
    try communicator.average(&shared)
    let norm = try norm(&mean)
    // The discriminator first, whose gradient may not be finite either: it learns from results that
    // there are already, so that the order makes no difference to anything else.
    for (number, pair) in seen.enumerated() {
      try adversary?.learn(
        pair.result, pair.target, isLastPart: number == seen.count - 1, rate: adversaryRate,
        communicator)
    }
    // The network has not changed so far, and from here on nothing fails but what no input can bring
    // about.
    let taken = stepCount
    try optimizer.step(&parameters, gradients: mean, rate: rate)
    for (name, value) in moved { parameters[name] = value }
    try average?.update(parameters, step: taken)
    return StepReport(
      loss: shared[0], parts: zip(lossNames, shared.dropFirst()).map { LossPart($0, $1) },
      rate: rate, gradientNorm: norm, compute: compute / .seconds(1),
      isLast: (shared.last ?? 0) > 0)
  }

  /// The names of the parts of the loss, the discriminator's the last.
  public var lossNames: [String] {
    losses.parts.map(\.name) + (adversary == nil ? [] : ["adversarial"])
  }

  /// The loss and its parts, and the gradient.
  private mutating func evaluate(
    _ result: Tensor, _ target: Tensor
  ) throws -> (values: [Double], gradient: Tensor) {
    let loss = try losses.evaluate(result, target)
    let parts = losses.parts.map(\.value) + (adversary == nil ? [] : [0])
    return ([loss.value] + parts, loss.gradient)
  }

  /// Adds what the discriminator thinks.
  private mutating func addAdversary(
    _ result: Tensor, _ target: Tensor, _ values: inout [Double], _ gradient: inout Tensor
  ) throws {
    guard let weight = adversary?.weight,
      let opinion = try adversary?.discriminator.evaluate(result, target)
    else { return }
    values[0] += weight * opinion.value
    values[values.count - 1] = opinion.value
    gradient.add(opinion.gradient, times: weight)
  }

  /// Another number for every step, process and part.
  private func dropoutSeed(part: Int) -> UInt64 {
    let place = communicator.rank * settings.parts + part
    var generator = SeededGenerator(
      seed: settings.seed, StreamPurpose.dropout, UInt64(stepCount), UInt64(place))
    return generator.next()
  }
}

// MARK: - What is not finite

extension Trainer {
  /// Throws unless a loss and all its parts are finite.
  private func check(_ values: [Double], _ batch: Batch) throws(TrainingError) {
    guard !values.allSatisfy(\.isFinite) else { return }
    let bad = zip(lossNames, values.dropFirst()).first { !$0.1.isFinite } ?? ("loss", values[0])
    let origin = origin(in: batch).map { ", the first such number in \($0)" } ?? ""
    throw .notFinite(
      "step \(stepCount + 1): \(bad.0)", expected: "a finite number", found: "\(bad.1)\(origin)")
  }

  /// The norm of gradients, which are shortened where the recipe says so.
  ///
  /// - Throws: `TrainingError.notFinite` that names the layer, if they are not finite.
  private func norm(_ gradients: inout [String: Tensor]) throws(TrainingError) -> Double {
    let norm =
      settings.clip.map { GradientNorm.clip(&gradients, to: $0) } ?? GradientNorm.of(gradients)
    guard !norm.isFinite else { return norm }
    // The way back begins at the network's end: there it went wrong first.
    let name = learned.last { gradients[$0].map(Trainer.isFinite) == false }
    throw .notFinite(
      "step \(stepCount + 1): the gradient of \(name ?? "all parameters together")",
      expected: "finite numbers", found: norm.isNaN ? "no numbers" : "infinite ones")
  }

  /// The first of the input, the parameters and the nodes' values, in order of execution, with a
  /// number that is not finite. Takes memory for all values at once, and time; nil where there is no
  /// such memory, or all is finite.
  private func origin(in batch: Batch) -> String? {
    if !Trainer.isFinite(batch.input) { return "the input" }
    if !Trainer.isFinite(batch.target) { return "the target" }
    let parameter = graph.parameters.first { parameters[$0.name].map(Trainer.isFinite) == false }
    if let parameter { return parameter.name }
    let names = graph.nodes.map(\.name)
    guard
      var plan = try? TrainingPlan(
        graph, inputShapes: [batch.input.shape], outputs: names, options: settings.options,
        engine: engine),
      let values = try? plan.forward([graph.inputs[0].name: batch.input], parameters: parameters)
    else { return nil }
    return names.first { values.outputs[$0].map(Trainer.isFinite) == false }
  }

  /// Throws `TrainingError.notFinite` for a parameter with a number that is not finite, as a step may
  /// make of a gradient that is: such parameters are not to be kept.
  public func checkParameters() throws(TrainingError) {
    let bad = graph.parameters.first { parameters[$0.name].map(Trainer.isFinite) == false }
    guard let bad else { return }
    throw .notFinite(
      "step \(stepCount): \(bad.name)", expected: "finite numbers", found: "others")
  }

  private static func isFinite(_ tensor: Tensor) -> Bool {
    // Counters are no floats, and always finite.
    guard tensor.elementType == .float32 else { return true }
    return unsafe tensor.withFloats { values in unsafe values.allSatisfy(\.isFinite) }
  }
}
