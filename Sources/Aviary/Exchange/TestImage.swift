internal import AviaryCheckpoint
internal import AviaryGraph
internal import AviaryTensor

/// A picture of noise, always the same, on which two networks are compared.
struct TestImage {
  /// Its height and width: what the network needs, and a little more, so that borders and insides both
  /// count.
  let size: Size
  private let inputs: [Tensor]

  /// Two networks that should be one, as they are compared: of a size that can be computed on the way.
  /// One of a stated size may want more memory than a conversion has; where its operations take others,
  /// a smaller picture shows as much.
  ///
  /// - Returns: nil where they take but the one.
  static func comparable(_ graph: Graph, _ written: Graph) -> (Graph, Graph)? {
    let isSmall = graph.inputs.allSatisfy { input in
      guard let size = input.size else { return true }
      let (pixels, overflow) = size.height.multipliedReportingOverflow(by: size.width)
      return !overflow && pixels <= 1 << 19
    }
    if isSmall { return (graph, written) }
    guard let own = graph.ofAnySize, let other = written.ofAnySize,
      let shapes = try? TestImage(for: own).inputs.map(\.shape),
      (try? own.shapes(for: shapes)) != nil, (try? other.shapes(for: shapes)) != nil
    else { return nil }
    return (own, other)
  }

  /// A picture that a network can take.
  ///
  /// - Throws: `TensorError` for a network of more channels than there is memory for.
  init(for graph: Graph) throws {
    let rule = graph.sizeRule()
    func side(_ wanted: Int) -> Int {
      let least = max(wanted, rule.minimum)
      return (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
    }
    // Of many weights each is used often enough on a smaller one.
    let isLarge = graph.parameterCount > 1 << 24
    let size =
      graph.inputs[0].size ?? (isLarge ? Size(side(12), side(10)) : Size(side(24), side(20)))
    self.size = size
    // Knuth's generator of 64 bits: good enough for noise, and the same everywhere.
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    inputs = try graph.inputs.map { input in
      let shape = [
        1, input.channels, input.size?.height ?? size.height, input.size?.width ?? size.width,
      ]
      let values = (0..<(try Tensor.count(of: shape))).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 24)
      }
      return try Tensor(shape: shape, values)
    }
  }

  /// What a network gives for it, in the order of its outputs.
  ///
  /// - Throws: `CheckpointError` for weights that cannot be read, `ComputeError` for a network that
  ///   cannot be computed.
  func outputs(of graph: Graph, _ weights: TensorSource) throws -> [Tensor] {
    try GraphPartition(graph, inputShapes: inputs.map(\.shape)).run(inputs, weights)
  }
}

extension Graph {
  /// The same operations, for inputs whose size nothing states; nil where they do not allow that.
  fileprivate var ofAnySize: Graph? {
    try? Graph(
      inputs: inputs.map { Input($0.name, channels: $0.channels) }, nodes: nodes, outputs: outputs,
      frozen: frozen, aliases: aliases)
  }
}
