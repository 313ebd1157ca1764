extension Graph {
  /// The same graph with every `.same` border stated as the padding that it means for one picture
  /// of this size, so that parts of the picture can be computed with the borders of the whole.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func resolvingBorders(height: Int, width: Int) throws(GraphError) -> Graph {
    let shapes = try shapes(height: height, width: width)
    let nodes = nodes.map { node in
      var node = node
      let input = shapes[node.inputs[0]]
      func resolve(
        _ border: Border, _ kernel: Size, _ stride: Size, _ dilation: Size = 1
      ) -> Border {
        .explicit(
          border.edges(
            size: Size(input[2], input[3]), kernel: kernel, stride: stride, dilation: dilation))
      }
      switch node.op {
      case .convolution(var c):
        c.border = resolve(c.border, c.kernel, c.stride, c.dilation)
        node.op = .convolution(c)
      case .maxPool(var pool):
        pool.border = resolve(pool.border, pool.kernel, pool.stride)
        node.op = .maxPool(pool)
      case .averagePool(var pool, let countsPadding):
        pool.border = resolve(pool.border, pool.kernel, pool.stride)
        node.op = .averagePool(pool, countsPadding: countsPadding)
      default: break
      }
      return node
    }
    return try Graph(
      inputs: inputs, nodes: nodes, outputs: outputs, frozen: frozen, aliases: aliases)
  }

  /// The multiplications and additions, counted as one, for one picture of this size.
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
      nodes[i].op.multiplyAdds(nodes[i].inputs.map { shapes[$0] }, shapes[inputs.count + i])
    }
  }

  /// The number of values in all learned and frozen parameters, as publications count them:
  /// running statistics and counters aside.
  public var parameterCount: Int {
    parameters.filter { $0.role == .weight || $0.role == .frozen }
      .reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
