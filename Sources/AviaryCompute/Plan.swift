public import AviaryGraph
public import AviaryTensor
import CDNNL

/// A network with its weights, ready to run on inputs of one size: compiled, with all memory that
/// it will use.
///
/// Made once and run many times, by one thread at a time; the type cannot be copied, and running
/// it is mutating, so that the compiler sees to it. Plans for other sizes are cheap beside it if
/// they are made of the same `PreparedWeights`.
public struct Plan: ~Copyable {
  private let engine: Engine
  private let stream: StreamHandle
  private let arena: AlignedMemory
  private let constants: [AlignedMemory]
  private let work: [BoundStep]
  private let inputs: [Port]
  private let outputs: [Port]

  /// An input or output of the plan.
  private struct Port {
    var name: String
    var shape: [Int]
  }

  /// Plans a network.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - weights: all parameters that the outputs wanted depend on.
  ///   - inputShapes: N, channels, height, width of each of the graph's inputs, in its order.
  ///   - outputs: the names of the outputs wanted, in any order; what only others need is not
  ///     calculated. Nil for all.
  ///   - options: how it is to be calculated.
  ///   - engine: on how many threads.
  /// - Throws: `ComputeError`: `.graph` for sizes that the network cannot run on, `.unsupported`
  ///   for an operation without a lowering, `.missingParameter`, `.parameterShape`, `.outOfMemory`.
  public init(
    _ graph: Graph, weights: PreparedWeights, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) {
    let blueprint = try Blueprint(
      graph, inputShapes: inputShapes, outputs: outputs, options: options, engine)
    let program = blueprint.lowering.program
    try weights.check(graph, program)
    let arena = try AlignedMemory(byteCount: blueprint.arenaBytes)
    var constants: [AlignedMemory] = []
    for constant in blueprint.lowering.constants {
      constants.append(try weights.prepare(constant, engine.handle))
    }
    let places = Places(blueprint, arena, constants)
    var work: [BoundStep] = []
    for step in blueprint.lowering.steps {
      work.append(try BoundStep(step, places, engine.handle))
    }
    stream = try StreamHandle(engine.handle)
    self.engine = engine
    (self.arena, self.constants, self.work) = (arena, constants, work)
    inputs = zip(graph.inputs, inputShapes).map { Port(name: $0.name, shape: $1) }
    self.outputs = program.outputs.map {
      Port(name: $0.name, shape: program.values[$0.value].shape)
    }
    steps = blueprint.lowering.steps.map(\.description)
    choices = blueprint.choices
    expectedSeconds = blueprint.nanoseconds / 1e9
  }

  /// The bytes that a plan for this size would take for what lies between its inputs and outputs,
  /// found without making it and without timing anything. Inputs, outputs and weights are not counted.
  ///
  /// - Throws: as `init`, weights aside.
  public static func arenaBytes(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> Int {
    var options = options
    options.runsAhead = 0
    return try Blueprint(
      graph, inputShapes: inputShapes, outputs: outputs, options: options, engine
    ).arenaBytes
  }

  /// The time that a run of a plan for this size is expected to take, found without making it: the sum
  /// of what its layers and the copies between them took when they were measured
  /// (`PlanOptions.tuning`; what is missing is timed as for a plan), else a rough estimate that is
  /// good for comparing sizes of one network.
  ///
  /// - Throws: as `init`, weights aside.
  public static func expectedSeconds(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> Double {
    try Blueprint(
      graph, inputShapes: inputShapes, outputs: outputs, options: options, engine
    ).nanoseconds / 1e9
  }

  /// The bytes that the plan takes for what lies between its inputs and outputs: one stretch of
  /// memory, in which values follow one another as they are needed.
  public var arenaBytes: Int { arena.byteCount }

  /// What is done, in order, for reports.
  public let steps: [PlanStep]

  /// How each layer is done, in order: several steps may belong to one, or none.
  public let choices: [PlanChoice]

  /// The time that a run is expected to take, in seconds, as `expectedSeconds(_:inputShapes:)` gives
  /// it.
  public let expectedSeconds: Double

  /// The shapes of the outputs, by name.
  public var outputShapes: [String: [Int]] {
    Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, $0.shape) })
  }

  /// Runs the network.
  ///
  /// - Parameter inputs: float32 tensors of the shapes planned for, by the names of the graph's
  ///   inputs. They are read where they lie.
  /// - Returns: float32 tensors, by the names of the outputs wanted.
  /// - Throws: `ComputeError.missingInput`, `.unknownInput`, `.input`, `.outOfMemory`, `.library`.
  public mutating func run(_ inputs: [String: Tensor]) throws(ComputeError) -> [String: Tensor] {
    try run(inputs) { step throws(ComputeError) in try step() }
  }

  /// Runs the network and gives the time that each of `steps` took, one waiting for the other: for
  /// benchmarks.
  ///
  /// - Throws: as `run`.
  package mutating func durations(
    _ inputs: [String: Tensor]
  ) throws(ComputeError) -> [Duration] {
    let clock = ContinuousClock()
    var durations: [Duration] = []
    _ = try run(inputs) { step throws(ComputeError) in
      let start = clock.now
      try step()
      try stream.wait()
      durations.append(clock.now - start)
    }
    return durations
  }

  /// Runs the network, each step by way of `perform`.
  private func run(
    _ inputs: [String: Tensor],
    _ perform: (() throws(ComputeError) -> Void) throws(ComputeError) -> Void
  ) throws(ComputeError) -> [String: Tensor] {
    let tensors = try ordered(inputs)
    engine.activate()
    let results = unsafe try withPlaces(of: tensors[...], []) { inputs throws(ComputeError) in
      unsafe try makeOutputs(outputs[...], []) { outputs throws(ComputeError) in
        for step in work {
          try perform { () throws(ComputeError) in
            unsafe try step.run(inputs, outputs, stream, engine.workers)
          }
        }
        try stream.wait()
      }
    }
    return Dictionary(uniqueKeysWithValues: zip(outputs.map(\.name), results))
  }

  /// The inputs in the graph's order, if they are what was planned for.
  private func ordered(_ tensors: [String: Tensor]) throws(ComputeError) -> [Tensor] {
    let names = inputs.map(\.name)
    if let name = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw .unknownInput(name, known: names)
    }
    var result: [Tensor] = []
    for port in inputs {
      guard let tensor = tensors[port.name] else { throw .missingInput(port.name) }
      guard tensor.shape == port.shape, tensor.elementType == .float32 else {
        throw .input(
          port.name, expected: "float32 \(port.shape)",
          found: "\(tensor.elementType) \(tensor.shape)")
      }
      result.append(tensor)
    }
    return result
  }

  /// Calls `body` with where the tensors' elements lie.
  private func withPlaces<R>(
    of tensors: ArraySlice<Tensor>, _ places: [UnsafeMutableRawPointer],
    _ body: ([UnsafeMutableRawPointer]) throws(ComputeError) -> R
  ) throws(ComputeError) -> R {
    guard let first = tensors.first else { return unsafe try body(places) }
    return unsafe try first.withUnsafeBytes { bytes throws(ComputeError) in
      // No step writes to an input: `Storage` never places a result over one.
      let place = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
      return unsafe try withPlaces(
        of: tensors.dropFirst(), places + [place].compactMap { unsafe $0 }, body)
    }
  }

  /// Makes a tensor for each of the ports, calls `body` with where they lie, and gives them.
  private func makeOutputs(
    _ ports: ArraySlice<Port>, _ places: [UnsafeMutableRawPointer],
    _ body: ([UnsafeMutableRawPointer]) throws(ComputeError) -> Void
  ) throws(ComputeError) -> [Tensor] {
    guard let port = ports.first else {
      unsafe try body(places)
      return []
    }
    guard var tensor = try? Tensor(zeros: port.shape) else {
      throw .outOfMemory(bytes: port.shape.reduce(4) { $0.multipliedSaturated(by: $1) })
    }
    let others = unsafe try tensor.withUnsafeMutableBytes { bytes throws(ComputeError) in
      unsafe try makeOutputs(
        ports.dropFirst(), places + [bytes.baseAddress].compactMap { unsafe $0 }, body)
    }
    return [tensor] + others
  }
}
