internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// Runs one output of a network on tiles, with a plan for the size of tile that comes. Tiles are
/// of one size wherever the network's strides allow it, so that one plan serves.
struct TileRunner: ~Copyable {
  private let graph: Graph
  private let machinery: Machinery
  private let output: String
  private var plan: (key: PlanPool.Key, held: PooledPlan)?
  /// How many tiles are to come, roughly.
  var tileCount = 1

  /// - Parameter graph: with its borders resolved for the whole picture.
  init(_ graph: Graph, output: Int, _ machinery: Machinery) {
    self.graph = graph
    self.machinery = machinery
    self.output = graph.outputs[output].name
  }

  deinit {
    if let plan { machinery.plans.give(plan.held, plan.key) }
  }

  /// The output for a tile of float32 values [runs, channels, height, width].
  mutating func run(_ tile: Tensor) throws -> Tensor {
    if plan?.key.shape != tile.shape {
      // The old plan's memory is given back before the new one takes its own.
      if let plan { machinery.plans.give(plan.held, plan.key) }
      plan = nil
      var options = machinery.planOptions
      options.runsAhead = tileCount
      let key = PlanPool.Key(graph: graph, output: output, shape: tile.shape)
      let held =
        try machinery.plans.take(key)
        ?? PooledPlan(
          Plan(
            graph, weights: machinery.weights, inputShapes: [tile.shape], outputs: [output],
            options: options, engine: machinery.engine))
      plan = (key, held)
    }
    guard let results = try plan?.held.plan.run([graph.inputs[0].name: tile]),
      let result = results[output]
    else { preconditionFailure("a plan gives the output that it was made for") }
    return result
  }
}
