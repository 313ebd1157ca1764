public import AviaryCompute
public import AviaryGraph
public import AviaryTensor
public import AviaryTraining

/// How to time a network.
public struct BenchmarkOptions: Sendable {
  /// The height and width of the images; nil for 256x256, the nearest larger size that the network
  /// accepts, or its fixed size.
  public var size: Size?
  /// Images per batch.
  public var batch: Int
  /// The number of timed runs, after `warmUps` untimed ones.
  public var runs: Int
  /// Threads; nil for one per core that the process may use.
  public var threads: Int?
  /// How the network is computed.
  public var plan: PlanOptions
  /// Whether to time training steps: forward and backward pass, without loss and optimizer.
  public var isTraining: Bool
  /// Whether to measure the processor's peak as well, which takes about half a second.
  public var measuresPeak: Bool

  /// Untimed runs, while caches and the processor's clock settle.
  public static let warmUps = 3

  /// By default one image of the usual size, nine runs in float32, on all cores.
  public init(
    size: Size? = nil, batch: Int = 1, runs: Int = 9, threads: Int? = nil,
    plan: PlanOptions = PlanOptions(), isTraining: Bool = false, measuresPeak: Bool = true
  ) {
    (self.size, self.batch, self.runs, self.threads) = (size, batch, runs, threads)
    (self.plan, self.isTraining, self.measuresPeak) = (plan, isTraining, measuresPeak)
  }

  /// The narrowest data type that the network's convolutions multiply: `float32`, `bfloat16`,
  /// `int8`.
  public var numbers: String { plan.quantization == nil ? plan.precision.rawValue : "int8" }

  /// The shapes of a network's inputs: N, channels, height, width.
  func inputShapes(_ graph: Graph) -> [[Int]] {
    let rule = graph.sizeRule()
    // The smallest larger size that the network accepts; a size stated by the user is used
    // unchanged.
    let least = max(BenchmarkOptions.usualSide, rule.minimum)
    let side = (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
    let common = size ?? graph.inputs[0].size ?? Size(side)
    return graph.inputs.map { input in
      // Unless stated otherwise, an input of fixed size keeps it, whatever size the first input
      // has.
      let own = size ?? input.size ?? common
      return [batch, input.channels, own.height, own.width]
    }
  }

  private static let usualSide = 256
}

/// A network's time, and where it goes: what `aviary bench` prints.
///
/// A run goes from float32 inputs in nchw to new outputs in nchw. One-time work (planning,
/// reordering the weights) is measured separately.
public struct NetworkBenchmark: Sendable {
  /// The name and the shape (N, channels, height, width) of each input.
  public let inputs: [(name: String, shape: [Int])]
  /// The same for each output; empty if a training was timed.
  public let outputs: [(name: String, shape: [Int])]
  /// The runs; for a training, the sum of its steps.
  public let times: TimedRuns
  /// Multiply-adds of all images in the batch, by the layers' definition, whatever an algorithm
  /// saves. For training, three times as many: the gradients with respect to inputs and to weights
  /// take as many again, each.
  public let multiplyAdds: Double
  /// The plan's memory for everything between inputs and outputs.
  public let arenaBytes: Int
  /// From the graph and the weights to the first plan: code generation, weight reordering, and
  /// autotuning if the options ask for it and the cache has no result.
  public let planningMilliseconds: Double
  /// The steps of the plan, in order.
  public let steps: [StepTime]
  /// Threads.
  public let threads: Int
  /// How it was computed.
  public let options: BenchmarkOptions
  /// The processor's peak; nil if it was not measured.
  public let peak: ProcessorPeak?

  /// Multiply-adds a second in 10^9, at the median.
  public var rate: Double { multiplyAdds / times.median / 1e6 }
  /// The share of the processor's peak that is reached. It can exceed 1: an algorithm that saves
  /// multiplications is still counted by the layer's definition.
  public var share: Double? { peak.map { rate / $0.rate } }

  /// Plans a network, warms up, and times it on images of noise.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - weights: all its parameters by name.
  /// - Throws: `ComputeError`, as `Plan.init`; `TensorError` for inputs that there is no memory
  ///   for; `GraphError` for sizes that the network does not take.
  public init(
    _ graph: Graph, weights: [String: Tensor], options: BenchmarkOptions = BenchmarkOptions()
  ) throws {
    let shapes = options.inputShapes(graph)
    let factor: Double = options.isTraining ? 3 : 1
    let multiplyAdds = try graph.multiplyAdds(for: shapes).map { $0 * factor }
    let engine = try Engine(threads: options.threads)
    var inputs: [String: Tensor] = [:]
    for (position, input) in graph.inputs.enumerated() {
      inputs[input.name] = try NetworkBenchmark.noise(
        shapes[position], stream: UInt64(position))
    }
    let measured =
      try options.isTraining
      ? Measured(training: graph, weights, shapes, inputs, options, engine)
      : Measured(graph, weights, shapes, inputs, options, engine)
    self.inputs = zip(graph.inputs, shapes).map { ($0.name, $1) }
    outputs = graph.outputs.compactMap { output in
      measured.outputShapes[output.name].map { (output.name, $0) }
    }
    times = measured.times
    arenaBytes = measured.arenaBytes
    planningMilliseconds = measured.planningMilliseconds
    steps = NetworkBenchmark.steps(
      measured, Dictionary(zip(graph.nodes.map(\.name), multiplyAdds)) { $1 })
    self.multiplyAdds = multiplyAdds.reduce(0, +)
    threads = engine.threads
    self.options = options
    peak =
      try options.measuresPeak
      ? ProcessorPeak(options.plan.precision, engine: engine) : nil
  }

  /// What was measured, in the order of the plan's steps.
  private struct Measured {
    let times: TimedRuns
    let planningMilliseconds: Double
    let arenaBytes: Int
    let outputShapes: [String: [Int]]
    let steps: [PlanStep]
    let stepTimes: [TimedRuns]

    init(
      _ graph: Graph, _ weights: [String: Tensor], _ shapes: [[Int]], _ inputs: [String: Tensor],
      _ options: BenchmarkOptions, _ engine: Engine
    ) throws {
      let clock = ContinuousClock()
      let start = clock.now
      var plan = try Plan(
        graph, weights: PackedWeights(weights), inputShapes: shapes, options: options.plan,
        engine: engine)
      planningMilliseconds = (clock.now - start).milliseconds
      times = try TimedRuns(options.runs) { _ = try plan.run(inputs) }
      (arenaBytes, outputShapes, steps) = (plan.arenaBytes, plan.outputShapes, plan.steps)
      var columns = plan.steps.map { _ in [Double]() }
      for _ in 0..<options.runs {
        for (step, duration) in try plan.durations(inputs).enumerated() {
          columns[step].append(duration.milliseconds)
        }
      }
      stepTimes = columns.map { TimedRuns($0) }
    }

    init(
      training graph: Graph, _ weights: [String: Tensor], _ shapes: [[Int]],
      _ inputs: [String: Tensor], _ options: BenchmarkOptions, _ engine: Engine
    ) throws {
      let clock = ContinuousClock()
      let start = clock.now
      var plan = try TrainingPlan(
        graph, inputShapes: shapes, options: options.plan, engine: engine)
      planningMilliseconds = (clock.now - start).milliseconds
      (arenaBytes, outputShapes, steps) = (plan.arenaBytes, [:], plan.steps)
      var columns = plan.steps.map { _ in [Double]() }
      var totals: [Double] = []
      for run in 0..<(BenchmarkOptions.warmUps + options.runs) {
        let durations = try plan.durations(inputs, parameters: weights).map(\.milliseconds)
        guard run >= BenchmarkOptions.warmUps else { continue }
        for (step, duration) in durations.enumerated() { columns[step].append(duration) }
        totals.append(durations.reduce(0, +))
      }
      times = TimedRuns(totals)
      stepTimes = columns.map { TimedRuns($0) }
    }
  }

  /// The steps with their times; a node's multiply-adds, and those of the nodes that are done along
  /// with it, are listed with the longest of its steps.
  private static func steps(
    _ measured: Measured, _ multiplyAdds: [String: Double]
  ) -> [StepTime] {
    var total: [String: Double] = [:]
    var longest: [String: Int] = [:]
    for (index, step) in measured.steps.enumerated() {
      let time = measured.stepTimes[index].median
      total[step.name, default: 0] += time
      if longest[step.name].map({ measured.stepTimes[$0].median < time }) ?? true {
        longest[step.name] = index
      }
    }
    return measured.steps.enumerated().map { index, step in
      let work = ([step.name] + step.others).reduce(0) { $0 + (multiplyAdds[$1] ?? 0) }
      return StepTime(
        name: step.name, operation: step.operation, implementation: step.implementation,
        shape: step.shape, times: measured.stepTimes[index],
        multiplyAdds: work > 0 && longest[step.name] == index ? work : nil,
        nodeMilliseconds: total[step.name] ?? 0)
    }
  }

  /// A tensor of random numbers from 0 to 1, the same every time.
  static func noise(_ shape: [Int], stream: UInt64) throws(TensorError) -> Tensor {
    var generator = SeededGenerator(seed: 2, stream)
    var tensor = try Tensor(zeros: shape)
    unsafe tensor.withMutableFloats { values in
      for i in values.indices {
        unsafe values[i] = Float(generator.next() >> 40) / Float(1 << 24)
      }
    }
    return tensor
  }
}

/// The time of one step of a plan.
public struct StepTime: Hashable, Sendable {
  /// The graph node that the step belongs to.
  public let name: String
  /// The operation: `convolution (winograd)`, `reorder`.
  public let operation: String
  /// The implementation: oneDNN's name for it, or `aviary` for the engine's own loops.
  public let implementation: String
  /// The shape of the node's result.
  public let shape: [Int]
  /// The times; each step waits for the one before.
  public let times: TimedRuns
  /// The node's multiply-adds, for all images in the batch; nil for steps that are not the node's
  /// longest, and for nodes without multiplications.
  public let multiplyAdds: Double?
  /// The total time of all steps of the node in milliseconds, to relate `multiplyAdds` to.
  public let nodeMilliseconds: Double

  /// Multiply-adds a second in 10^9, by the node's median; nil where there are none.
  public var rate: Double? { multiplyAdds.map { $0 / nodeMilliseconds / 1e6 } }
}

/// The times of several runs of one thing, in milliseconds.
public struct TimedRuns: Hashable, Sendable {
  /// The time of each run, in order.
  public let milliseconds: [Double]

  /// - Parameter milliseconds: at least one.
  package init(_ milliseconds: [Double]) { self.milliseconds = milliseconds }

  /// Times a body after some warm-up runs.
  package init<Failure: Error>(
    _ runs: Int, _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    for _ in 0..<BenchmarkOptions.warmUps { try body() }
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<runs {
      let start = clock.now
      try body()
      times.append((clock.now - start).milliseconds)
    }
    milliseconds = times
  }

  /// The median, the upper of two; NaN if there are no runs.
  public var median: Double {
    milliseconds.isEmpty ? .nan : milliseconds.sorted()[milliseconds.count / 2]
  }
  /// The shortest time.
  public var fastest: Double { milliseconds.min() ?? .nan }
  /// The longest time.
  public var slowest: Double { milliseconds.max() ?? .nan }
}

extension Duration {
  /// The length in milliseconds.
  package var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}

extension Zoo {
  /// A network from the registry, by name and optional preset (`fusion-cae:x4`), with random
  /// weights that are the same every time: enough to time it.
  ///
  /// - Parameters:
  ///   - configuration: members that differ from the preset's.
  ///   - initialization: what the weights are drawn from. Two hundred residual blocks whose branches
  ///     end in a product grow beyond what float32 can follow with `he`.
  /// - Throws: `AviaryError.noSuchModel` with the nearest name, `RegistryError.unknownPreset`, and
  ///   errors from building the network.
  public func untrained(
    _ reference: String, configuration: JSON = [:], initialization: Recipe.Initialization = .he
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
    return (network, try Initializer(network.graph, initialization, seed: 1).parameters())
  }
}

/// The processor's peak multiply-add rate, measured, because no list of processors says what a
/// machine with its clock and its neighbours can do.
///
/// It is the best of several direct 3x3 convolutions by oneDNN on data that stays in the caches,
/// each timed on its own without reorders. Winograd saves multiplications, so a network may exceed
/// this peak.
public struct ProcessorPeak: Hashable, Sendable {
  /// Multiply-adds a second in 10^9.
  public let rate: Double
  /// The data type that was multiplied.
  public let precision: Precision
  /// The convolution that reached it.
  public let description: String

  /// Channels and sides: the activations of the first fit in a 1 MB L2 cache, as do the weights of
  /// the second.
  private static let candidates = [(channels: 64, side: 56), (128, 28), (64, 128)]
  private static let runs = 25

  /// Measures the peak, in about half a second.
  ///
  /// - Throws: `ComputeError`, as `Plan`.
  public init(_ precision: Precision, engine: Engine) throws {
    var best = (rate: 0.0, text: "")
    for (channels, side) in ProcessorPeak.candidates {
      let shape = [1, channels, side, side]
      let graph = try Graph(channels: channels) { image in
        [image.convolution("layer", channels, kernel: 3)]
      }
      var plan = try Plan(
        graph, weights: PackedWeights(Initializer(graph, .he, seed: 1).parameters()),
        inputShapes: [shape], options: PlanOptions(exact: true, precision: precision),
        engine: engine)
      let image = [graph.inputs[0].name: try NetworkBenchmark.noise(shape, stream: 0)]
      guard let step = plan.steps.firstIndex(where: { $0.operation.hasPrefix("convolution") })
      else { continue }
      var fastest = Double.infinity
      for _ in 0..<ProcessorPeak.runs {
        fastest = min(fastest, try plan.durations(image)[step].milliseconds)
      }
      let rate = try graph.multiplyAdds(height: side, width: side) / fastest / 1e6
      if rate > best.rate {
        best = (rate, "a direct 3x3 convolution of \(channels) channels at \(side)x\(side)")
      }
    }
    (rate, description) = best
    self.precision = precision
  }
}
