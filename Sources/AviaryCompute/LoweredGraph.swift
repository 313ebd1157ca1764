public import AviaryGraph

// From a graph to results, one stage a file:
//
//   Graph → Program        nodes that the wanted outputs need, as fused ops
//         → fuseTokens     windowed attention, linear layers and what stands beside them
//         → fuse           batch normalisation, activations and additions join convolutions
//         → fusePointwise  chains of elementwise operations become one pass
//         → foldPermutes   products and passes read through permutes
//         → assignLayouts  which algorithm, and how values lie in memory, by estimated cost
//         → insertRelayouts  copies where neighbours differ
//         → chainPlanes  convolutions of few channels that are done line by line at once
//         → Storage        which values share memory: views, results written over operands
//         → Lowering       fused ops become steps: oneDNN primitives and the engine's own kernels
//         → Arena          places for all memory that is needed for a time
//   LoweredGraph → Plan    weights prepared, code generated, memory taken
//
// Everything up to the lowered graph is plain data and takes some 0.1 ms a layer.

/// A network lowered for one input size, with every decision taken and nothing made yet: no code,
/// no weights, no memory. Cheap enough to be asked how much memory a size would take; a plan is
/// made of it.
public struct LoweredGraph {
  let lowering: Lowering
  /// Where the stretches of memory that are not the caller's lie in the arena, by number.
  let allocationOffsets: [Int: Int]
  let temporaryOffsets: [Int]
  /// The bytes that a plan takes for what lies between its inputs and outputs. Inputs, outputs and
  /// weights are not counted.
  public let arenaBytes: Int
  /// How each layer is done.
  let decision: LayoutDecision
  /// What was lowered, if it was a graph for inference.
  let origin: Origin?

  /// A graph, and the shapes of its inputs.
  struct Origin {
    var graph: Graph
    var inputShapes: [[Int]]
  }

  /// The shapes of the graph's inputs for which it was lowered.
  package var inputShapes: [[Int]] { origin?.inputShapes ?? [] }

  /// The time that a run of the plan is expected to take, in seconds: the sum of what its layers
  /// and the copies between them took when they were measured (`PlanOptions.tuning`), else a rough
  /// estimate that is good for comparing sizes of one network.
  public var expectedSeconds: Double { decision.nanoseconds / 1e9 }

  /// Lowers a network.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - inputShapes: N, channels, height, width of each of the graph's inputs, in its order.
  ///   - outputs: the names of the outputs wanted, in any order; what only others need is not
  ///     calculated. Nil for all.
  ///   - options: how it is to be calculated. What `options.tuning` lacks is timed where that pays;
  ///     nothing is timed for `runsAhead` of 0.
  ///   - engine: on how many threads.
  /// - Throws: `ComputeError`: `.graph` for sizes that the network cannot run on, `.unsupported`
  ///   for an operation without a lowering, `.unknownOutput`, `.tooLarge`, `.library`.
  public init(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]? = nil,
    options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) {
    // Integers are multiplied by convolutions of the whole network's own.
    let (graph, shapes) = try LoweredGraph.expanded(
      graph, for: inputShapes, keepsAttention: options.quantization == nil)
    try self.init(
      IRGraph(graph, shapes: shapes, outputs: outputs),
      of: Origin(graph: graph, inputShapes: inputShapes), options, engine)
  }

  /// The graph without expansions, and the shapes of all its values.
  ///
  /// - Parameter keepsAttention: whether windowed attention is left as it is: for inference, where
  ///   one kernel does it.
  /// - Throws: `ComputeError.graph`.
  static func expanded(
    _ graph: Graph, for inputShapes: [[Int]], keepsAttention: Bool = false
  ) throws(ComputeError) -> (graph: Graph, shapes: [[Int]]) {
    do throws(GraphError) {
      let graph = try graph.expanded { !(keepsAttention && $0 is WindowAttention) }.graph
      return (graph, try graph.shapes(for: inputShapes))
    } catch {
      throw .graph(error)
    }
  }

  /// - Parameters:
  ///   - ir: fused ops for single nodes, and for the backward pass if it is a training's.
  ///   - origin: of what it is, if it is for inference.
  ///   - isTraining: whether nothing may be folded into weights, and memory is the plan's own.
  /// - Throws: `ComputeError`.
  init(
    _ ir: IRGraph, of origin: Origin? = nil, isTraining: Bool = false,
    _ options: PlanOptions, _ engine: Engine
  ) throws(ComputeError) {
    guard options.precision == .float32 || Engine.hasBfloat16 else { throw .noBfloat16 }
    try engine.activate()
    var ir = ir
    if !isTraining { ir.fuseTokens(options.precision) }
    ir.fuse(isTraining: isTraining)
    ir.fusePointwise()
    ir.foldPermutes()
    if let quantization = options.quantization { try ir.quantize(quantization) }
    let decision = ir.assignMemoryFormats(options, engine)
    ir.insertReorders()
    if !isTraining { ir.fuseLineBuffers() }
    try self.init(
      decided: ir, of: origin, isSelfContained: isTraining, decision: decision, engine)
  }

  /// - Parameters:
  ///   - ir: with all memory formats decided, and copies where neighbours differ.
  ///   - origin: of what it is, if it is for inference.
  ///   - isSelfContained: whether inputs and outputs lie in the arena, too.
  /// - Throws: `ComputeError`.
  init(
    decided ir: IRGraph, of origin: Origin? = nil, isSelfContained: Bool = true,
    decision: LayoutDecision = LayoutDecision(), _ engine: Engine
  ) throws(ComputeError) {
    (self.origin, self.decision) = (origin, decision)
    let buffers = try BufferAssignment(ir, isSelfContained: isSelfContained)
    lowering = try Lowering(ir, buffers, engine)
    let allocations = buffers.allocations.indices.filter { buffers.allocations[$0].owner == .arena }
    let arena = try Arena(
      allocations.map { allocation in
        Arena.Request(
          byteCount: buffers.allocations[allocation].byteCount,
          lifetime: buffers.allocations[allocation].lifetime)
      } + lowering.temporaries)
    allocationOffsets = Dictionary(uniqueKeysWithValues: zip(allocations, arena.offsets))
    temporaryOffsets = Array(arena.offsets[allocations.count...])
    arenaBytes = arena.byteCount
  }
}

/// How a network is to be calculated.
public struct PlanOptions: Hashable, Sendable {
  /// Leaves out algorithms that calculate in another order than the definition: Winograd's
  /// convolutions, which are about twice as fast. They are as accurate on the whole (largest errors
  /// of 0.3 to 1.8e-6 of the largest value a layer, against 0.5 to 2.4e-6 of direct sums, with
  /// random weights), but a pixel's rounding then depends on its neighbours' values.
  public var exact: Bool
  /// In which data type convolutions may calculate: bfloat16 where that is faster.
  public var precision: Precision
  /// Which convolutions multiply 8-bit integers, whatever the precision of the others is; nil
  /// for none. Not for training.
  public var quantization: Quantization?
  /// What was measured, by which algorithms and memory formats are chosen; nil to choose by
  /// estimate, which gives the same plan on every machine with these instructions.
  public var tuning: Tuning?
  /// Expected number of runs. Unmeasured layers are benchmarked if that pays off over so many runs;
  /// 0 disables benchmarking.
  public var runsAhead = 1
  /// How another plan of the same network did its layers (`Plan.choices`), to be done the same way
  /// whatever was measured since. Passed over where this processor does not offer all of it.
  public var choices: [PlanChoice] = []

  /// The fastest kernels in float32 by estimate, unless stated.
  public init(
    exact: Bool = false, precision: Precision = .float32, quantization: Quantization? = nil,
    tuning: Tuning? = nil, runsAhead: Int = 1
  ) {
    (self.exact, self.precision, self.quantization) = (exact, precision, quantization)
    (self.tuning, self.runsAhead) = (tuning, runsAhead)
  }
}
