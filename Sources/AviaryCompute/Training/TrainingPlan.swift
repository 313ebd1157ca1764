public import AviaryGraph
public import AviaryTensor

/// A network ready to be trained on batches of one size: forward, and back again.
///
/// Batch normalisation is by the batch's own statistics, and dropout drops. Made once and run many
/// times, by one thread at a time. The results of one plan on one thread count are the same bit by
/// bit in every run.
public struct TrainingPlan: ~Copyable {
  /// What gradients are wanted of.
  public struct Wanted: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int
    /// A set of these.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// All parameters that are learned: those of role `weight`.
    public static let parameters = Wanted(rawValue: 1)
    /// All inputs.
    public static let inputs = Wanted(rawValue: 2)
  }

  /// Derivatives of the loss.
  public struct Gradients: Sendable {
    /// By the parameters' names, in their shapes (PyTorch's memory format).
    public var parameters: [String: Tensor]
    /// By the inputs' names.
    public var inputs: [String: Tensor]
  }

  /// What is done, in order, for reports and for the record that resuming compares.
  public let steps: [PlanStep]
  /// How each layer is done, forward and back, in order.
  public let choices: [PlanChoice]
  /// The time that a run forward and back is expected to take, in seconds, as
  /// `Plan.expectedSeconds`.
  public let expectedSeconds: Double

  private let engine: Engine
  private let stream: StreamHandle
  private let arena: AlignedMemory
  private let weights: TrainedWeights
  private let kind: [BoundInstruction]
  /// How many of the instructions belong to the forward pass.
  private let backwardStart: Int
  private let inputs: [PlacedPort]
  private let outputs: [PlacedPort]
  private let seeds: [PlacedPort]
  private let statistics: [PlacedPort]
  private let dropoutSeed: Address?
  private let parameterGradients: [PlacedPort]
  private let inputGradients: [PlacedPort]
  /// Gradients of what no output depends on.
  private let zeros: (parameters: [String: Tensor], inputs: [String: Tensor])
  /// Whether the memory holds what a backward pass needs.
  private var isReady = false

  /// Where something that comes in or goes out lies in the arena.
  private struct PlacedPort {
    var port: Port
    var place: Address

    var name: String { port.name }
    var shape: [Int] { port.shape }
  }

  /// Plans a network for training.
  ///
  /// - Parameters:
  ///   - inputShapes: N, channels, height, width of each of the graph's inputs.
  ///   - outputs: the outputs wanted; nil for all. Names of nodes serve too: any node's value may
  ///     be asked for, as perceptual losses do.
  ///   - wanted: what gradients are wanted of.
  ///   - options: how it is to be calculated.
  ///   - engine: on how many threads.
  /// - Throws: `ComputeError`, as `Plan.init`; `.unsupported` for an operation without a gradient.
  public init(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    gradientsOf wanted: Wanted = .parameters, options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) {
    let autodiff = try TrainingPlan.autodiff(graph, inputShapes, outputs, wanted)
    let lowered = try LoweredGraph(autodiff.ir, isTraining: true, options, engine)
    let ir = lowered.lowering.ir
    let arena = try AlignedMemory(byteCount: lowered.arenaBytes)
    let weights = try TrainedWeights(lowered.lowering.constants, graph, ir, engine.handle)
    let places = AddressTable(lowered, arena, weights.memory)
    var kind: [BoundInstruction] = []
    for step in lowered.lowering.instructions {
      kind.append(try BoundInstruction(step, places, engine.handle))
    }
    func port(_ output: Graph.Output) -> PlacedPort {
      PlacedPort(
        port: Port(name: output.name, shape: ir.values[output.value].shape),
        place: places[.value(output.value)])
    }
    let back = ir.outputs[ir.forwardOutputs...]
    let parameterGradients = back.prefix(autodiff.parameters.count).map(port)
    let inputGradients = back.dropFirst(autodiff.parameters.count).map(port)
    var zeros: (parameters: [String: Tensor], inputs: [String: Tensor]) = ([:], [:])
    if wanted.contains(.parameters) {
      let found = Set(parameterGradients.map(\.name))
      for parameter in graph.parameters
      where parameter.role == .weight && !found.contains(parameter.name) {
        zeros.parameters[parameter.name] = try TrainingPlan.zeros(parameter.shape)
      }
    }
    if wanted.contains(.inputs) {
      let found = Set(inputGradients.map(\.name))
      for (input, shape) in zip(graph.inputs, inputShapes) where !found.contains(input.name) {
        zeros.inputs[input.name] = try TrainingPlan.zeros(shape)
      }
    }
    stream = try StreamHandle(engine.handle)
    inputs = zip(graph.inputs, ir.inputs).map {
      port(Graph.Output($0.name, value: $1))
    }
    self.outputs = ir.outputs[..<ir.forwardOutputs].map(port)
    seeds = zip(ir.outputs, ir.seeds).map { port(Graph.Output($0.name, value: $1)) }
    statistics = ir.statistics.map(port)
    dropoutSeed = ir.dropoutSeed.map { places[.value($0)] }
    steps = lowered.lowering.instructions.map(\.description)
    choices = lowered.decision.choices
    expectedSeconds = lowered.expectedSeconds
    backwardStart = lowered.lowering.backwardStart ?? kind.count
    (self.parameterGradients, self.inputGradients) = (parameterGradients, inputGradients)
    self.zeros = zeros
    self.engine = engine
    (self.arena, self.weights, self.kind) = (arena, weights, kind)
  }

  /// The forward pass and the backward pass.
  private static func autodiff(
    _ graph: Graph, _ inputShapes: [[Int]], _ outputs: [String]?, _ wanted: Wanted
  ) throws(ComputeError) -> Autodiff {
    let (graph, shapes) = try LoweredGraph.expanded(graph, for: inputShapes)
    let forward = try IRGraph(graph, shapes: shapes, outputs: outputs, isTraining: true)
    return try Autodiff(forward, of: graph, wanted: wanted)
  }

  /// How a plan would do its layers, found without making it.
  ///
  /// - Throws: as `init`.
  public static func choices(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    gradientsOf wanted: Wanted = .parameters, options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> [PlanChoice] {
    let autodiff = try autodiff(graph, inputShapes, outputs, wanted)
    return try LoweredGraph(autodiff.ir, isTraining: true, options, engine).decision
      .choices
  }

  /// The bytes that the plan takes for everything but weights.
  public var arenaBytes: Int { arena.byteCount }

  /// The shapes of the outputs, by name.
  public var outputShapes: [String: [Int]] {
    Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, $0.shape) })
  }

  /// Runs the network forward, and keeps what the backward pass needs.
  ///
  /// - Parameters:
  ///   - inputs: float32, by the names of the graph's inputs.
  ///   - parameters: all parameters by name, float32; read now, not kept.
  ///   - seed: of what dropout drops.
  /// - Returns: the outputs by name, and new values of the running statistics by the parameters'
  ///   names.
  /// - Throws: `ComputeError.missingInput`, `.unknownInput`, `.input`, `.missingParameter`,
  ///   `.parameterShape`, `.threadsRefused`, `.outOfMemory`, `.library`.
  public mutating func forward(
    _ inputs: [String: Tensor], parameters: [String: Tensor], seed: UInt64 = 0
  ) throws(ComputeError) -> (outputs: [String: Tensor], statistics: [String: Tensor]) {
    isReady = false
    try engine.activate()
    try weights.refresh(parameters, stream)
    try fill(self.inputs, from: inputs)
    if let place = unsafe dropoutSeed?.fixed {
      unsafe place.storeBytes(of: seed, as: UInt64.self)
    }
    try run(0..<backwardStart)
    isReady = true
    return (try tensors(outputs), try tensors(statistics))
  }

  /// Runs back from the last `forward`.
  ///
  /// - Parameter gradients: the derivatives of the loss by each of the outputs, by name.
  /// - Returns: the derivatives of the loss by what was wanted; zeros for what no output depends
  ///   on.
  /// - Throws: `ComputeError.missingInput`, `.unknownInput`, `.input`, `.threadsRefused`,
  ///   `.outOfMemory`, `.library`.
  public mutating func backward(
    _ gradients: [String: Tensor]
  ) throws(ComputeError) -> Gradients {
    precondition(isReady, "a forward pass before every backward pass")
    // Memory of the forward pass is used again in the backward pass.
    isReady = false
    try engine.activate()
    try fill(seeds, from: gradients)
    try run(backwardStart..<kind.count)
    return Gradients(
      parameters: try tensors(parameterGradients).merging(zeros.parameters) { $1 },
      inputs: try tensors(inputGradients).merging(zeros.inputs) { $1 })
  }

  /// Runs forward and back and gives the time that each of `instructions` took, one waiting for the
  /// other: for benchmarks. Gradients are those of the sum of all outputs.
  ///
  /// - Throws: as `forward`.
  package mutating func durations(
    _ inputs: [String: Tensor], parameters: [String: Tensor]
  ) throws(ComputeError) -> [Duration] {
    let outputs = try forward(inputs, parameters: parameters).outputs
    try fill(seeds, from: outputs)
    let clock = ContinuousClock()
    var durations: [Duration] = []
    for step in kind {
      let start = clock.now
      unsafe try step.run([], [], stream, engine.workers)
      try stream.wait()
      durations.append(clock.now - start)
    }
    return durations
  }

  private func run(_ range: Range<Int>) throws(ComputeError) {
    for step in kind[range] { unsafe try step.run([], [], stream, engine.workers) }
    try stream.wait()
  }

  /// Copies tensors to where the plan wants them.
  private func fill(_ ports: [PlacedPort], from tensors: [String: Tensor]) throws(ComputeError) {
    for (port, tensor) in zip(ports, try ports.map(\.port).ordered(tensors)) {
      guard let place = unsafe port.place.fixed else { continue }
      unsafe tensor.withUnsafeBytes { bytes in
        guard let source = bytes.baseAddress else { return }
        unsafe place.copyMemory(from: source, byteCount: bytes.count)
      }
    }
  }

  /// What lies in the plan's memory, as tensors.
  private func tensors(_ ports: [PlacedPort]) throws(ComputeError) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for port in ports {
      var tensor = try TrainingPlan.zeros(port.shape)
      guard let place = unsafe port.place.fixed else { continue }
      unsafe tensor.withUnsafeMutableBytes { bytes in
        unsafe bytes.copyMemory(
          from: UnsafeRawBufferPointer(start: place, count: bytes.count))
      }
      result[port.name] = tensor
    }
    return result
  }

  private static func zeros(_ shape: [Int]) throws(ComputeError) -> Tensor {
    guard let tensor = try? Tensor(zeros: shape) else {
      throw .outOfMemory(bytes: shape.reduce(4) { $0.multipliedSaturated(by: $1) })
    }
    return tensor
  }
}
