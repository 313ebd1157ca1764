import AviaryGraph

// The way from a graph to results, one stage a file:
//
//   Graph → Program        nodes that the wanted outputs need, as units of work
//         → fuse           batch normalisation, activations and additions join convolutions
//         → assignLayouts  which algorithm, and how values lie in memory, by estimated cost
//         → insertRelayouts  copies where neighbours differ
//         → chainPlanes  convolutions of few channels that are done line by line at once
//         → Storage        which values share memory: views, results written over operands
//         → Lowering       units become steps: oneDNN primitives and the engine's own kernels
//         → Arena          places for all memory that is needed for a time
//   Blueprint → Plan       weights prepared, code generated, memory taken
//
// Everything up to the blueprint is plain data and takes a millisecond or two.

/// A network lowered for one input size, with every decision taken and nothing made yet: no code,
/// no weights, no memory. Cheap enough to be asked how much memory a size would take.
struct Blueprint {
  let lowering: Lowering
  /// Where the stretches of memory that are not the caller's lie in the arena, by number.
  let rootOffsets: [Int: Int]
  let temporaryOffsets: [Int]
  let arenaBytes: Int
  /// How each layer is done.
  let choices: [PlanChoice]
  /// The time that a run is expected to take, as far as it was measured or estimated.
  let nanoseconds: Double

  /// - Parameter outputs: the names of the outputs wanted; nil for all.
  /// - Throws: `ComputeError`.
  init(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]?, options: PlanOptions, _ engine: Engine
  ) throws(ComputeError) {
    let (graph, shapes) = try Blueprint.expanded(graph, for: inputShapes)
    try self.init(Program(graph, shapes: shapes, outputs: outputs), options, engine)
  }

  /// The graph without expansions, and the shapes of all its values.
  ///
  /// - Throws: `ComputeError.graph`.
  static func expanded(
    _ graph: Graph, for inputShapes: [[Int]]
  ) throws(ComputeError) -> (graph: Graph, shapes: [[Int]]) {
    do throws(GraphError) {
      let graph = try graph.expanded().graph
      return (graph, try graph.shapes(for: inputShapes))
    } catch {
      throw .graph(error)
    }
  }

  /// - Parameters:
  ///   - program: units for single nodes, and for the way back if it is a training's.
  ///   - isTraining: whether nothing may be folded into weights, and memory is the plan's own.
  /// - Throws: `ComputeError`.
  init(
    _ program: Program, isTraining: Bool = false, _ options: PlanOptions, _ engine: Engine
  ) throws(ComputeError) {
    guard options.precision == .float32 || Engine.hasBfloat16 else { throw .noBfloat16 }
    engine.activate()
    var program = program
    program.fuse(isTraining: isTraining)
    if let quantization = options.quantization { try program.quantize(quantization) }
    let decision = program.assignLayouts(options, engine)
    program.insertRelayouts()
    if !isTraining { program.chainPlanes() }
    try self.init(
      decided: program, isSelfContained: isTraining, choices: decision.choices,
      nanoseconds: decision.nanoseconds, engine)
  }

  /// - Parameters:
  ///   - program: with all layouts decided, and copies where neighbours differ.
  ///   - isSelfContained: whether inputs and outputs lie in the arena, too.
  /// - Throws: `ComputeError`.
  init(
    decided program: Program, isSelfContained: Bool = true, choices: [PlanChoice] = [],
    nanoseconds: Double = 0, _ engine: Engine
  ) throws(ComputeError) {
    (self.choices, self.nanoseconds) = (choices, nanoseconds)
    let storage = try Storage(program, isSelfContained: isSelfContained)
    lowering = try Lowering(program, storage, engine)
    let roots = storage.roots.indices.filter { storage.roots[$0].owner == .arena }
    let arena = try Arena(
      roots.map { root in
        Arena.Request(
          byteCount: storage.roots[root].byteCount, lifetime: storage.roots[root].lifetime)
      } + lowering.temporaries)
    rootOffsets = Dictionary(uniqueKeysWithValues: zip(roots, arena.offsets))
    temporaryOffsets = Array(arena.offsets[roots.count...])
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
  /// In which numbers convolutions may calculate: bfloat16 where that is faster.
  public var precision: Precision
  /// Which convolutions multiply whole numbers of 8 bits, whatever the precision of the others is; nil
  /// for none. Not for training.
  public var quantization: Quantization?
  /// What was measured, by which algorithms and layouts are chosen; nil to choose by estimate, which
  /// gives the same plan on every machine with these instructions.
  public var tuning: Tuning?
  /// How often a plan will run, roughly: what is not measured yet is timed where that pays. Nothing
  /// is timed for 0.
  public var runsAhead = 1
  /// How another plan of the same network did its layers (`Plan.choices`), to be done the same way
  /// whatever was measured since. Passed over where this processor does not offer all of it.
  public var choices: [PlanChoice] = []

  /// The fastest way in float32 by estimate, unless stated.
  public init(
    exact: Bool = false, precision: Precision = .float32, quantization: Quantization? = nil,
    tuning: Tuning? = nil, runsAhead: Int = 1
  ) {
    (self.exact, self.precision, self.quantization) = (exact, precision, quantization)
    (self.tuning, self.runsAhead) = (tuning, runsAhead)
  }
}
