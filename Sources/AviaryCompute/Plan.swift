public import AviaryGraph
public import AviaryTensor
import CDNNL

/// A network with its weights, ready to run on inputs of one size: compiled, with all memory that
/// it will use.
///
/// Made once and run many times, by one thread at a time; the type cannot be copied, and running
/// it is mutating, so that the compiler sees to it. Plans for other sizes are cheap beside it if
/// they are made of the same `PackedWeights`.
public struct Plan: ~Copyable {
  private let engine: Engine
  private let stream: StreamHandle
  private let arena: AlignedMemory
  private let constants: [AlignedMemory]
  private let instructions: [BoundInstruction]
  private let inputs: [Port]
  private let outputs: [Port]
  private let decision: LayoutDecision

  /// Lowers a network, and plans what came of that.
  ///
  /// - Parameters: as of `LoweredGraph.init`, and
  ///   - weights: all parameters that the outputs wanted depend on.
  /// - Throws: as `LoweredGraph.init` and `init(_:weights:)`.
  public init(
    _ graph: Graph, weights: PackedWeights, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) {
    try self.init(
      LoweredGraph(
        graph, inputShapes: inputShapes, outputs: outputs, options: options, engine: engine),
      weights: weights)
  }

  /// Plans a network that was lowered: takes memory, prepares weights and compiles.
  ///
  /// - Parameter weights: all parameters that the outputs wanted depend on.
  /// - Throws: `ComputeError`: `.missingParameter`, `.parameterShape`, `.threadsRefused`,
  ///   `.outOfMemory`, `.library`.
  public init(_ lowered: LoweredGraph, weights: PackedWeights) throws(ComputeError) {
    guard let origin = lowered.origin else {
      preconditionFailure("what is lowered for a training, or to be timed, is never handed out")
    }
    let ir = lowered.lowering.ir, engine = lowered.lowering.engine
    try engine.activate()
    try weights.check(origin.graph, ir)
    let arena = try AlignedMemory(byteCount: lowered.arenaBytes)
    var constants: [AlignedMemory] = []
    for constant in lowered.lowering.constants {
      constants.append(try weights.prepare(constant, engine.handle))
    }
    let places = AddressTable(lowered, arena, constants)
    var instructions: [BoundInstruction] = []
    for step in lowered.lowering.instructions {
      instructions.append(try BoundInstruction(step, places, engine.handle))
    }
    stream = try StreamHandle(engine.handle)
    self.engine = engine
    (self.arena, self.constants, self.instructions) = (arena, constants, instructions)
    inputs = zip(origin.graph.inputs, origin.inputShapes).map { Port(name: $0.name, shape: $1) }
    self.outputs = ir.outputs.map {
      Port(name: $0.name, shape: ir.values[$0.value].shape)
    }
    steps = lowered.lowering.instructions.map(\.description)
    decision = lowered.decision
  }

  /// The bytes that a plan for this size would take for what lies between its inputs and outputs,
  /// found without making it and without timing anything. Inputs, outputs and weights are not
  /// counted.
  ///
  /// - Throws: as `LoweredGraph.init`.
  public static func arenaBytes(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> Int {
    var options = options
    options.runsAhead = 0
    return try LoweredGraph(
      graph, inputShapes: inputShapes, outputs: outputs, options: options, engine: engine
    ).arenaBytes
  }

  /// The time that a run of a plan for this size is expected to take, found without making it:
  /// `LoweredGraph.expectedSeconds`.
  ///
  /// - Throws: as `LoweredGraph.init`.
  public static func expectedSeconds(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> Double {
    try LoweredGraph(
      graph, inputShapes: inputShapes, outputs: outputs, options: options, engine: engine
    ).expectedSeconds
  }

  /// The bytes that the plan takes for what lies between its inputs and outputs: one stretch of
  /// memory, in which values follow one another as they are needed.
  public var arenaBytes: Int { arena.byteCount }

  /// What is done, in order, for reports.
  public let steps: [PlanStep]

  /// How each layer is done, in order: several instructions may belong to one, or none.
  public var choices: [PlanChoice] { decision.choices }

  /// The time that a run is expected to take, in seconds, as `LoweredGraph.expectedSeconds` has it.
  public var expectedSeconds: Double { decision.nanoseconds / 1e9 }

  /// The shapes of the outputs, by name.
  public var outputShapes: [String: [Int]] {
    Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, $0.shape) })
  }

  /// Runs the network.
  ///
  /// - Parameter inputs: float32 tensors of the shapes planned for, by the names of the graph's
  ///   inputs. They are read where they lie.
  /// - Returns: float32 tensors, by the names of the outputs wanted.
  /// - Throws: `ComputeError.missingInput`, `.unknownInput`, `.input`, `.threadsRefused`,
  ///   `.outOfMemory`, `.library`.
  public mutating func run(_ inputs: [String: Tensor]) throws(ComputeError) -> [String: Tensor] {
    try run(inputs) { step throws(ComputeError) in try step() }
  }

  /// Runs the network and gives the time that each of `instructions` took, one waiting for the
  /// other: for benchmarks.
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

  /// Runs the network, each instruction through `perform`.
  private func run(
    _ inputs: [String: Tensor],
    _ perform: (() throws(ComputeError) -> Void) throws(ComputeError) -> Void
  ) throws(ComputeError) -> [String: Tensor] {
    let tensors = try self.inputs.ordered(inputs)
    try engine.activate()
    let results = unsafe try withPlaces(of: tensors[...], []) { inputs throws(ComputeError) in
      unsafe try makeOutputs(outputs[...], []) { outputs throws(ComputeError) in
        for step in instructions {
          try perform { () throws(ComputeError) in
            unsafe try step.run(inputs, outputs, stream, engine.workers)
          }
        }
        try stream.wait()
      }
    }
    return Dictionary(uniqueKeysWithValues: zip(outputs.map(\.name), results))
  }

  /// Calls `body` with where the tensors' elements lie.
  private func withPlaces<R>(
    of tensors: ArraySlice<Tensor>, _ places: [UnsafeMutableRawPointer],
    _ body: ([UnsafeMutableRawPointer]) throws(ComputeError) -> R
  ) throws(ComputeError) -> R {
    guard let first = tensors.first else { return unsafe try body(places) }
    return unsafe try first.withUnsafeBytes { bytes throws(ComputeError) in
      // No instruction writes to an input: `BufferAssignment` never places a result over one.
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

/// An input or output of a plan.
struct Port {
  var name: String
  var shape: [Int]
}

extension [Port] {
  /// The tensors in the ports' order, if they are what was planned for.
  ///
  /// - Throws: `ComputeError.missingInput`, `.unknownInput`, `.input`.
  func ordered(_ tensors: [String: Tensor]) throws(ComputeError) -> [Tensor] {
    let names = map(\.name)
    if let name = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw .unknownInput(name, known: names)
    }
    var result: [Tensor] = []
    for port in self {
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
}
