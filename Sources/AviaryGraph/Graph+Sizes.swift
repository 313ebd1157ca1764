extension Graph {
  /// The same graph for one image of this size: every `.same` padding stated as the amounts that it
  /// means, and whatever else depends on the size replaced by what it is there, so that tiles of the
  /// image can be computed as the whole is.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func resolvingPadding(height: Int, width: Int) throws(GraphError) -> Graph {
    let graph = try expanded { $0.isWithoutField }.graph
    let shapes = try graph.shapes(height: height, width: width)
    let ratios = graph.ratios
    let nodes = graph.nodes.map { node in
      let op = node.op.operation.resolvingSizes(
        node.inputs.map { shapes[$0] }, node.inputs.map { ratios[$0] })
      // What became independent of another value's size no longer takes that value.
      return Node(
        node.name, op, inputs: Array(node.inputs.prefix(op.inputCount.upperBound)),
        parameters: node.parameters)
    }
    return try Graph(
      inputs: inputs, nodes: nodes, outputs: graph.outputs, frozen: frozen,
      initialValues: initialValues, aliases: aliases)
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

  /// The number of channels of the output that has a scale, or of the first; nil for an output that is
  /// no image.
  package func outputChannels(_ scale: Ratio) -> Int? {
    let output = scales.firstIndex(of: scale) ?? 0
    guard let shapes = try? Graph.shapes(of: nodes, inputs.map(\.nominalShape)) else { return nil }
    let shape = shapes[outputs[output].value]
    return shape.count == 4 ? shape[1] : nil
  }
}
