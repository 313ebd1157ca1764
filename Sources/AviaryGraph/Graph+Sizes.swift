/// The sizes that a network takes, and what it makes of them.
public struct SizeRule: Hashable, Sendable {
  /// Output size over input size, where they are in proportion at all, along both axes alike.
  public var scale: Ratio?
  /// Input heights and widths must be a multiple of this, else the network cannot run.
  public var multiple: Int
  /// Input heights and widths must be a multiple of this, else the output has another size than
  /// `scale` says, less `shrinkage` (residual-cae makes 66 of 65).
  public var exactMultiple: Int
  /// How many pixels the output is smaller than `scale` times the input: what convolutions without
  /// padding cost.
  public var shrinkage: Int
  /// The smallest input height and width that the network can run on.
  public var minimum: Int
}

extension Graph {
  /// What the network makes of sizes, found by trying its shape functions on them.
  ///
  /// A network whose strides multiply to more than `GraphLimits.period`, or whose axes are treated
  /// differently, has no scale.
  ///
  /// - Parameter output: the position of the output in `outputs`.
  public func sizeRule(output: Int = 0) -> SizeRule {
    let value = outputs[output].value
    // Trying a period of sizes on every node must stay quick, whatever a file says.
    guard inputs.allSatisfy({ $0.size == nil }), let scale = ratios[value], let period,
      period * nodes.count <= 1 << 20
    else {
      return SizeRule(
        scale: ratios[value], multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1)
    }
    // On one period of sizes: which are valid, and by how much is the output off?
    let base = inputs[0].nominalShape[2] / period * period
    func offsets(_ side: Int) -> (vertical: Int, horizontal: Int)? {
      guard let shapes = try? shapes(height: side, width: side), let full = scale.scaled(side)
      else { return nil }
      return (full - shapes[value][2], full - shapes[value][3])
    }
    let found = (0..<period).map { offsets(base + $0) }
    let shrinkage = found[0] ?? (0, 0)
    let divisors = (1...period).filter { period % $0 == 0 }
    func first(where condition: ((vertical: Int, horizontal: Int)?) -> Bool) -> Int {
      divisors.first { divisor in
        stride(from: 0, to: period, by: divisor).allSatisfy { condition(found[$0]) }
      } ?? period
    }
    let multiple = first { $0 != nil }
    return SizeRule(
      scale: shrinkage.vertical == shrinkage.horizontal ? scale : nil,
      multiple: multiple,
      exactMultiple: first { $0.map { $0 == shrinkage } ?? false },
      shrinkage: shrinkage.vertical,
      minimum: minimum(multiple: multiple, valid: base))
  }

  /// The least multiple on which the network can run, given one on which it can: what is too small
  /// for an operation stays so for anything smaller.
  private func minimum(multiple: Int, valid: Int) -> Int {
    var (above, below) = (valid / multiple, 0)
    while above - below > 1 {
      let middle = (above + below) / 2
      let side = middle * multiple
      if (try? shapes(height: side, width: side)) != nil { above = middle } else { below = middle }
    }
    return above * multiple
  }

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
