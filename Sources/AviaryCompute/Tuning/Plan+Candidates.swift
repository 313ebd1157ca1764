package import AviaryGraph

extension Plan {
  /// All ways of doing each layer, the best by estimate first: for tests that try them all.
  ///
  /// - Throws: as `init`, weights aside.
  package static func candidates(
    _ graph: Graph, inputShapes: [[Int]], options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> [[PlanChoice]] {
    let (graph, shapes) = try LoweredGraph.expanded(graph, for: inputShapes)
    var ir = try IRGraph(graph, shapes: shapes, outputs: nil)
    ir.fuse()
    let candidates = ReorderCosts(ir, options, engine).candidates
    return zip(ir.fusedOps, candidates).map { fusedOp, candidates in
      candidates.map { PlanChoice(fusedOp, $0) }
    }
  }
}
