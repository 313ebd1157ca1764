internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// What models are computed with: threads, and weights prepared once for all pictures and tiles.
struct Machinery: Sendable {
  let engine: Engine
  let weights: PreparedWeights
  let options: UpscalerOptions
  let planOptions: PlanOptions

  /// - Throws: `AviaryError.notQuantized` for whole numbers of a model that was not calibrated for
  ///   them; `ComputeError`.
  init(_ model: Model, _ options: UpscalerOptions) throws {
    self.options = options
    var planOptions = PlanOptions(exact: options.exact)
    let own = model.quantization.isEmpty || options.exact ? RunPrecision.float32 : .int8
    switch options.precision ?? own {
    case .float32: break
    case .bfloat16: planOptions.precision = .bfloat16
    case .int8:
      guard !model.quantization.isEmpty else { throw AviaryError.notQuantized(model.name) }
      // The other convolutions in float32: what was measured holds on every processor.
      planOptions.quantization = Quantization(model.quantization)
    }
    self.planOptions = planOptions
    engine = try Engine(threads: options.threads)
    weights = PreparedWeights(Dictionary(model.weights.map { ($0.name, $0.tensor) }) { $1 })
  }
}

/// Runs one output of a network on tiles, with a plan for the size of tile that comes. Tiles are
/// of one size wherever the network's strides allow it, so that one plan serves.
struct TileRunner: ~Copyable {
  private let graph: Graph
  private let machinery: Machinery
  private let output: String
  private var plan: Plan?
  private var plannedShape: [Int] = []

  /// - Parameter graph: with its borders resolved for the whole picture.
  init(_ graph: Graph, output: Int, _ machinery: Machinery) {
    self.graph = graph
    self.machinery = machinery
    self.output = graph.outputs[output].name
  }

  /// The memory that the activations of a tile take, its input and output included.
  static func memoryEstimate(
    _ graph: Graph, output: Int, runs: Int, height: Int, width: Int, _ machinery: Machinery
  ) throws -> Int {
    let shape = [runs, graph.inputs[0].channels, height, width]
    let result = try graph.shapes(for: [shape])[graph.outputs[output].value]
    let ends = (shape.reduce(1, *) + result.reduce(1, *)) * 4
    return ends
      + (try Plan.arenaBytes(
        graph, inputShapes: [shape], outputs: [graph.outputs[output].name],
        options: machinery.planOptions, engine: machinery.engine))
  }

  /// The output for a tile of float32 values [runs, channels, height, width].
  mutating func run(_ tile: Tensor) throws -> Tensor {
    if tile.shape != plannedShape {
      // The old plan's memory is given back before the new one takes its own.
      plan = nil
      plan = try Plan(
        graph, weights: machinery.weights, inputShapes: [tile.shape], outputs: [output],
        options: machinery.planOptions, engine: machinery.engine)
      plannedShape = tile.shape
    }
    guard let results = try plan?.run([graph.inputs[0].name: tile]), let result = results[output]
    else { preconditionFailure("a plan gives the output that it was made for") }
    return result
  }
}
