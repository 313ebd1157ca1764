extension Graph {
  /// Whether two networks compute the same by the same operations: names aside, and padding that is
  /// written otherwise and means the same.
  ///
  /// Parameters must have the same shapes and be shared by the same nodes, in the same order of first
  /// use; their values do not count.
  public func isEquivalent(to other: Graph) -> Bool {
    guard inputs.map(\.channels) == other.inputs.map(\.channels),
      inputs.map(\.size) == other.inputs.map(\.size),
      outputs.map(\.value) == other.outputs.map(\.value), nodes.count == other.nodes.count,
      learned.map(\.shape) == other.learned.map(\.shape)
    else { return false }
    let (places, otherPlaces) = (parameterPlaces, other.parameterPlaces)
    return zip(nodes, other.nodes).allSatisfy { a, b in
      a.inputs == b.inputs && a.op.operation.normalised.op == b.op.operation.normalised.op
        && a.parameters.map { places[$0] } == b.parameters.map { otherPlaces[$0] }
    }
  }

  /// The parameters that count, non-persistent buffer aside.
  private var learned: [Parameter] { parameters.filter { $0.role != .nonPersistent } }

  private var parameterPlaces: [String: Int] {
    Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
  }
}

extension Graph {
  /// The same network with its parameters under other names.
  ///
  /// - Throws: `GraphError` for two parameters of one name.
  public func renamingParameters(_ name: (String) -> String) throws(GraphError) -> Graph {
    let new = parameters.map { name($0.name) }
    if let twice = Dictionary(grouping: new, by: { $0 }).filter({ $1.count > 1 }).keys.min() {
      throw .duplicateName(twice, of: "two parameters")
    }
    let renamed = nodes.map { node in
      Node(node.name, node.op, inputs: node.inputs, parameters: node.parameters.map(name))
    }
    return try Graph(
      inputs: inputs, nodes: renamed, outputs: outputs, frozen: Set(frozen.map(name)),
      aliases: aliases.mapValues(name))
  }
}
