internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// Partitions a graph into subgraphs that run in sequence, so only one subgraph's weights are in
/// memory at a time.
struct GraphPartition {
  /// Some of the operations.
  private struct Part {
    /// The subgraph, as a network: its inputs and outputs are values of the whole graph.
    var graph: Graph
    /// The indices of the values that go in and come out.
    var inputs: [Int]
    var outputs: [Int]
  }

  private let graph: Graph
  private let shapes: [[Int]]
  private let parts: [Part]

  /// The most weights in one subgraph, in bytes of float32, unless a single operation has more.
  /// Small networks stay whole.
  private static let budget = 16 << 20

  /// Partitions a graph.
  ///
  /// - Parameter inputShapes: of the graph's inputs, in its order.
  /// - Throws: `GraphError` for sizes that the network cannot run on.
  init(_ graph: Graph, inputShapes: [[Int]], budget: Int = GraphPartition.budget) throws {
    self.graph = graph
    shapes = try graph.shapes(for: inputShapes)
    var lastUse = [Int](repeating: -1, count: graph.valueCount)
    for (position, node) in graph.nodes.enumerated() {
      for value in node.inputs { lastUse[value] = position }
    }
    for output in graph.outputs { lastUse[output.value] = graph.nodes.count }
    let sizes = Dictionary(
      graph.parameters.map { ($0.name, $0.shape.reduce(4, *)) }
    ) { first, _ in first }
    var parts: [Part] = []
    var (start, held, bytes) = (0, Set<String>(), 0)
    for (position, node) in graph.nodes.enumerated() {
      let added = Set(node.parameters).subtracting(held)
      let size = added.reduce(0) { $0 + (sizes[$1] ?? 0) }
      if position > start, size > 0, bytes + size > budget,
        Self.isCut(graph, before: position, lastUse, shapes)
      {
        parts.append(contentsOf: try Self.part(graph, start..<position, lastUse, shapes))
        (start, held, bytes) = (position, [], 0)
      }
      held.formUnion(node.parameters)
      bytes += size
    }
    parts.append(
      contentsOf: try Self.part(graph, start..<graph.nodes.count, lastUse, shapes))
    self.parts = parts
  }

  /// The number of parts.
  var count: Int { parts.count }

  /// Whether the graph can be split before an operation: everything still needed is an NCHW tensor.
  private static func isCut(
    _ graph: Graph, before position: Int, _ lastUse: [Int], _ shapes: [[Int]]
  ) -> Bool {
    let live = (0..<graph.inputs.count + position).filter { lastUse[$0] >= position }
    return live.count <= GraphLimits.inputs && live.allSatisfy { shapes[$0].count == 4 }
  }

  /// Some of the operations as a network; empty if nothing needs their results.
  private static func part(
    _ graph: Graph, _ range: Range<Int>, _ lastUse: [Int], _ shapes: [[Int]]
  ) throws -> [Part] {
    let first = graph.inputs.count
    let values = first + range.lowerBound..<first + range.upperBound
    let nodes = graph.nodes[range]
    let inputs = Set(nodes.flatMap(\.inputs)).filter { $0 < values.lowerBound }.sorted()
    let outputs = values.filter { lastUse[$0] >= range.upperBound }
    if outputs.isEmpty { return [] }
    var places = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($1, $0) })
    for (place, value) in values.enumerated() { places[value] = inputs.count + place }
    // Must differ from every operation's name.
    var word = "value"
    while nodes.contains(where: { $0.name.hasPrefix(word) }) { word += "_" }
    let whole = try Graph(
      // At the sizes of this run: operations may allow no other.
      inputs: inputs.map { value in
        let shape = shapes[value]
        return Graph.Input(
          "\(word)\(value)", channels: shape[1], size: Size(shape[2], shape[3]))
      },
      nodes: nodes.map { node in
        var node = node
        node.inputs = node.inputs.compactMap { places[$0] }
        return node
      },
      outputs: outputs.compactMap { value in
        places[value].map { Graph.Output("\(word)\(value)", value: $0) }
      })
    return [Part(graph: whole, inputs: inputs, outputs: outputs)]
  }

  /// Runs the network.
  ///
  /// - Parameters:
  ///   - inputs: in the order of the graph's.
  ///   - weights: its parameters, read part by part.
  /// - Returns: the outputs in the order of the graph's.
  /// - Throws: `CheckpointError` for weights that cannot be read, `ComputeError` for a network that
  ///   cannot be computed.
  func run(_ inputs: [Tensor], _ weights: TensorSource) throws -> [Tensor] {
    let engine = try Engine(threads: 1)
    var values = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($0, $1) })
    for part in parts {
      var tensors: [String: Tensor] = [:]
      for parameter in part.graph.parameters {
        tensors[parameter.name] = try weights.tensor(parameter.name)
      }
      var plan = try Plan(
        part.graph, weights: PackedWeights(tensors), inputShapes: part.inputs.map { shapes[$0] },
        options: PlanOptions(exact: true), engine: engine)
      let given = part.inputs.compactMap { values[$0] }
      let results = try plan.run(
        Dictionary(uniqueKeysWithValues: zip(part.graph.inputs.map(\.name), given)))
      for (output, value) in zip(part.graph.outputs, part.outputs) {
        values[value] = results[output.name]
      }
    }
    return try graph.outputs.map { output in
      guard let tensor = values[output.value] else {
        throw AviaryError.networkOutput(expected: [], found: [])
      }
      return tensor
    }
  }
}
