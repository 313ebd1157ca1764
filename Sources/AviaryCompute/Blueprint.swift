import AviaryGraph

// The way from a graph to results, one stage a file:
//
//   Graph → Program        nodes that the wanted outputs need, as units of work
//         → fuse           batch normalisation, activations and additions join convolutions
//         → assignLayouts  which algorithm, and how values lie in memory, by estimated cost
//         → insertRelayouts  copies where neighbours differ
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

  /// - Parameter outputs: the names of the outputs wanted; nil for all.
  /// - Throws: `ComputeError`.
  init(
    _ graph: Graph, inputShapes: [[Int]], outputs: [String]?, options: PlanOptions, _ engine: Engine
  ) throws(ComputeError) {
    let shapes = try Blueprint.shapes(of: graph, for: inputShapes)
    try self.init(Program(graph, shapes: shapes, outputs: outputs), options, engine)
  }

  /// The shapes of all values.
  ///
  /// - Throws: `ComputeError.graph`.
  static func shapes(
    of graph: Graph, for inputShapes: [[Int]]
  ) throws(ComputeError) -> [[Int]] {
    do throws(GraphError) {
      return try graph.shapes(for: inputShapes)
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
    program.assignLayouts(options)
    program.insertRelayouts()
    let storage = try Storage(program, isSelfContained: isTraining)
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

  /// The fastest way in float32, unless stated.
  public init(
    exact: Bool = false, precision: Precision = .float32, quantization: Quantization? = nil
  ) {
    (self.exact, self.precision, self.quantization) = (exact, precision, quantization)
  }
}
