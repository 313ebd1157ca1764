import AviaryGraph

/// The layers with weights of a graph, in order of execution: what a file's layers are held against.
struct LayerPlan: Hashable {
  /// A layer.
  struct Layer: Hashable {
    /// What its parameters' names begin with, less the dot.
    var name: String
    var kind: ExternalLayer.Kind
  }

  var layers: [Layer]

  init(_ graph: Graph) {
    let shapes = Dictionary(graph.parameters.map { ($0.name, $0.shape) }) { $1 }
    var layers: [Layer] = []
    var seen: Set<String> = []
    for node in graph.nodes {
      guard let first = node.parameters.first, let dot = first.lastIndex(of: ".") else { continue }
      let name = String(first[..<dot])
      // Several nodes may share their parameters: those are one layer of a file.
      guard seen.insert(name).inserted else { continue }
      layers.append(Layer(name: name, kind: Self.kind(of: node.op, weight: shapes[first] ?? [])))
    }
    self.layers = layers
  }

  /// How many layers there are of each kind.
  var counts: [ExternalLayer.Kind: Int] {
    Dictionary(layers.map { ($0.kind, 1) }, uniquingKeysWith: +)
  }

  private static func kind(of op: Op, weight: [Int]) -> ExternalLayer.Kind {
    (op.operation as? any WeightedOperation)?.layerKind(weight: weight) ?? .other
  }
}
