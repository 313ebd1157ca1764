public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// A network in training, independent of files and folders: it takes batches and updates the
/// parameters.
///
/// The same batches, threads and processor give the same parameters bit for bit.
public struct Trainer: ~Copyable {
  /// The network.
  public let graph: Graph
  /// Its parameters after the steps so far, float32.
  public private(set) var parameters: [String: Tensor]
  /// Their moving average; nil for none.
  public private(set) var average: WeightAverage?
  /// The optimizer.
  public private(set) var optimizer: Optimizer
  /// A discriminator beside the losses; nil for none.
  public private(set) var adversary: Adversary?
  private var losses: CombinedLoss
  private var plan: TrainingPlan
  private let settings: Settings
  private let communicator: any Communicator
  private let engine: Engine
  /// The parameters in the graph's order, which is the order in which processes exchange gradients.
  private let learned: [String]

  /// Plans a network, its losses and its discriminator for batches of one shape.
  ///
  /// - Parameters:
  ///   - batchShape: N, channels, height, width of the input that is processed at once.
  ///   - parameters: the initial parameters: all of the graph's, float32.
  ///   - communicator: the processes that train together.
  /// - Throws: `ComputeError` for a network that cannot be planned at that size,
  ///   `TrainingError.patch` for results that a loss or the discriminator cannot take.
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

  /// Steps taken, including those before an interruption.
  public var stepCount: Int { optimizer.stepCount }

  /// The steps of the plan, in order, with their algorithms.
  public var planSteps: [PlanStep] { plan.steps }

  /// The kernel chosen for each layer, to plan the same again (`PlanOptions.choices`).
  public var planChoices: [PlanChoice] { plan.choices }

  /// What is validated and saved: the moving average, or the parameters themselves.
  public var result: [String: Tensor] { average?.weights ?? parameters }

  /// Takes a step.
  ///
  /// - Parameters:
  ///   - parts: this process's batches, of one shape; their gradients are averaged.
  ///   - rate: the learning rate.
  ///   - adversaryRate: the discriminator's learning rate.
  ///   - wishesToStop: whether this process wants this step to be the last; the report says whether
  ///     any process does.
  /// - Throws: `TrainingError.notFinite` for a loss or a gradient that is not finite, saying where
  ///   it began; the parameters are then unchanged. Errors from the losses, the plan and the other
  ///   processes.
  public mutating func step(
    _ parts: [Batch], rate: Double, adversaryRate: Double = 0, wishesToStop: Bool = false
  ) throws -> StepReport {
    let (input, output) = (graph.inputs[0].name, graph.outputs[settings.output].name)
    var compute = Duration.zero
    var gradients = GradientSum()
    var values: [Double] = []
    var statistics = GradientSum()
    // The discriminator is trained once nothing can fail any more in the network's own step.
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
    // As one process would see the whole batch, except for the differences between the parts'
    // means.
    var moved = statistics.mean()
    if !moved.isEmpty { try communicator.average(&moved, moved.keys.sorted()) }
    var shared = values.map { $0 / Double(parts.count) } + [wishesToStop ? 1 : 0]
    try communicator.average(&shared)
    let norm = try norm(&mean)
    // The discriminator first, because its gradient may not be finite either. It is trained on
    // existing results, so the order affects nothing else.
    for (number, pair) in seen.enumerated() {
      try adversary?.learn(
        pair.result, pair.target, isLastPart: number == seen.count - 1, rate: adversaryRate,
        communicator)
    }
    // The network is still unchanged, and from here on only a programming error can fail.
    let taken = stepCount
    try optimizer.step(&parameters, gradients: mean, rate: rate)
    for (name, value) in moved { parameters[name] = value }
    try average?.update(parameters, step: taken)
    return StepReport(
      loss: shared[0], parts: zip(lossNames, shared.dropFirst()).map { LossPart($0, $1) },
      rate: rate, gradientNorm: norm, compute: compute / .seconds(1),
      isLast: (shared.last ?? 0) > 0)
  }

  /// The names of the loss parts, with the discriminator's last.
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

  /// Adds the adversarial loss.
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

  /// A different number for every step, process and part.
  private func dropoutSeed(part: Int) -> UInt64 {
    let place = communicator.rank * settings.parts + part
    var generator = SeededGenerator(
      seed: settings.seed, RandomStream.dropout, UInt64(stepCount), UInt64(place))
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

  /// The norm of the gradients, which are clipped if the recipe says so.
  ///
  /// - Throws: `TrainingError.notFinite`, naming the layer, if they are not finite.
  private func norm(_ gradients: inout [String: Tensor]) throws(TrainingError) -> Double {
    let norm =
      settings.clipNorm.map { GradientNorm.clip(&gradients, to: $0) } ?? GradientNorm.of(gradients)
    guard !norm.isFinite else { return norm }
    // The backward pass starts at the network's end, so the last such layer is where it began.
    let name = learned.last { gradients[$0].map(Trainer.isFinite) == false }
    throw .notFinite(
      "step \(stepCount + 1): the gradient of \(name ?? "all parameters together")",
      expected: "finite numbers", found: norm.isNaN ? "no numbers" : "infinite ones")
  }

  /// The first of the input, the parameters and the nodes' values, in order of execution, that
  /// contains NaN or infinity. Takes time, and memory for all values at once; nil if there is not
  /// enough memory, or if all values are finite.
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

  /// Throws `TrainingError.notFinite` for a parameter with NaN or infinite values, as a step can
  /// produce from a finite gradient: such parameters must not be saved.
  public func checkParameters() throws(TrainingError) {
    let bad = graph.parameters.first { parameters[$0.name].map(Trainer.isFinite) == false }
    guard let bad else { return }
    throw .notFinite(
      "step \(stepCount): \(bad.name)", expected: "finite numbers", found: "others")
  }

  private static func isFinite(_ tensor: Tensor) -> Bool {
    // Counters are integers, and so always finite.
    guard tensor.elementType == .float32 else { return true }
    return unsafe tensor.withFloats { values in unsafe values.allSatisfy(\.isFinite) }
  }
}

extension Trainer {
  /// Settings of a trainer, apart from the network and the optimizer.
  public struct Settings: Hashable, Sendable {
    /// The index of the trained graph output.
    public var output = 0
    /// The maximum gradient norm; longer gradients are clipped to it; nil for none.
    public var clipNorm: Double?
    /// The number of parts that each process's share of a batch is split into.
    public var parts = 1
    /// The seed of dropout masks.
    public var seed: UInt64 = 1
    /// How the network is planned.
    public var options = PlanOptions()

    /// The defaults.
    public init() {}
  }
}

/// A part of a loss in a step.
public struct LossPart: Hashable, Sendable {
  /// The name, such as `l1`.
  public var name: String
  /// Its value, unweighted.
  public var value: Double

  /// A part.
  public init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}

/// The results of one training step.
public struct StepReport: Hashable, Sendable {
  /// The loss: the weighted sum of its parts, averaged over all processes.
  public var loss: Double
  /// The unweighted parts by name, in the recipe's order.
  public var parts: [LossPart]
  /// The learning rate.
  public var rate: Double
  /// The Euclidean norm of the gradient over all parameters, before clipping.
  public var gradientNorm: Double
  /// Seconds spent in the network's forward and backward pass.
  public var compute: Double
  /// Whether any process wants to stop.
  public var isLast: Bool
}

/// How the wall time of a training was spent, in seconds.
public struct StepTimeBreakdown: Hashable, Sendable {
  /// The network's forward and backward pass.
  public var compute = 0.0
  /// Waiting for batches.
  public var waiting = 0.0
  /// Losses, the optimizer, the moving average.
  public var updating = 0.0
  /// Between steps: logs, validation, checkpoints.
  public var rest = 0.0

  /// No time yet.
  public init() {}

  /// The total time.
  public var total: Double { compute + waiting + updating + rest }

  /// How the time of the steps was spent, in words.
  public var text: String {
    let steps = compute + waiting + updating
    func percent(_ seconds: Double) -> String {
      // Integer tenths, so that no formatter from Foundation is needed.
      let tenths = steps > 0 ? Int((seconds / steps * 1_000).rounded()) : 0
      return "\(tenths / 10).\(tenths % 10) %"
    }
    return "steps were \(percent(compute)) network, \(percent(updating)) losses and optimiser, "
      + "\(percent(waiting)) waiting for images"
  }

  /// The share of a part in the total, 0 to 1.
  public func share(_ part: KeyPath<StepTimeBreakdown, Double>) -> Double {
    total > 0 ? self[keyPath: part] / total : 0
  }
}
