extension Graph {
  /// The same graph with every `.same` padding stated as the amounts that it means for one image of
  /// this size, so that tiles of the image can be computed with the padding of the whole.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func resolvingPadding(height: Int, width: Int) throws(GraphError) -> Graph {
    let shapes = try shapes(height: height, width: width)
    let nodes = nodes.map { node in
      var node = node
      node.op = node.op.operation.resolvingPadding(shapes[node.inputs[0]]).op
      return node
    }
    return try Graph(
      inputs: inputs, nodes: nodes, outputs: outputs, frozen: frozen, aliases: aliases)
  }

  /// The multiplications and additions, counted as one, for one image of this size.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func multiplyAdds(height: Int, width: Int) throws(GraphError) -> Double {
    try multiplyAdds(for: inputs.map { [1, $0.channels, height, width] }).reduce(0, +)
  }

  /// The multiplications and additions of each node, in the order of `nodes`, for inputs of these
  /// shapes in the order of `inputs`.
  ///
  /// - Throws: as `shapes(for:)`.
  package func multiplyAdds(for inputShapes: [[Int]]) throws(GraphError) -> [Double] {
    let shapes = try shapes(for: inputShapes)
    return nodes.indices.map { i in
      nodes[i].op.operation.multiplyAdds(
        nodes[i].inputs.map { shapes[$0] }, shapes[inputs.count + i])
    }
  }

  /// The number of values in all learned and frozen parameters, as publications count them:
  /// running statistics and counters aside.
  public var parameterCount: Int {
    parameters.filter { $0.role == .weight || $0.role == .frozen }
      .reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
