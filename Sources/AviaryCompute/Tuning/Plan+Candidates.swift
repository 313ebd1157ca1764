package import AviaryGraph

extension Plan {
  /// All ways of doing each layer, the best by estimate first: for tests that try them all.
  ///
  /// - Throws: as `init`, weights aside.
  package static func candidates(
    _ graph: Graph, inputShapes: [[Int]], options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> [[PlanChoice]] {
    let (graph, shapes) = try LoweredGraph.expanded(graph, for: inputShapes)
    var program = try Program(graph, shapes: shapes, outputs: nil)
    program.fuse()
    let modes = LayoutCosts(program, options, engine).modes
    return zip(program.units, modes).map { unit, modes in
      modes.map { PlanChoice(unit, $0) }
    }
  }
}
