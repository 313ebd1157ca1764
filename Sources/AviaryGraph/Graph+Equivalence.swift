extension Graph {
  /// Whether two networks compute the same by the same operations: names aside, and borders that are
  /// written otherwise and mean the same.
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
      a.inputs == b.inputs && a.op.normalised == b.op.normalised
        && a.parameters.map { places[$0] } == b.parameters.map { otherPlaces[$0] }
    }
  }

  /// The parameters that count, bookkeeping aside.
  private var learned: [Parameter] { parameters.filter { $0.role != .bookkeeping } }

  private var parameterPlaces: [String: Int] {
    Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
  }
}

extension Op {
  /// The same operation, written in the one way that operations are compared in.
  fileprivate var normalised: Op {
    switch self {
    case .convolution(var convolution):
      // Without a stride, 'same' is the same number of pixels at every size.
      guard case .same = convolution.border, convolution.stride == 1 else { return self }
      convolution.border = .explicit(
        convolution.border.edges(
          size: Size(1 << 10), kernel: convolution.kernel, stride: 1,
          dilation: convolution.dilation))
      return .convolution(convolution)
    case .dropout: return .dropout(rate: 0)
    case .batchNormalization(var normalization):
      // How training moves the statistics is no part of what the network computes.
      normalization.momentum = 0
      return .batchNormalization(normalization)
    default: return self
    }
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
