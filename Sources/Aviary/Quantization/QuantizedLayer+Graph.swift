internal import AviaryCheckpoint
internal import AviaryGraph

extension [QuantizedLayer] {
  /// Throws unless the scales belong to convolutions of the graph.
  ///
  /// - Throws: `AviaryError.checkpointPart`.
  func check(against graph: Graph, _ path: String) throws(AviaryError) {
    var filters: [String: Int] = [:]
    for node in graph.nodes {
      switch node.op {
      case .convolution(let c): filters[node.name] = c.filters
      case .transposedConvolution(let c): filters[node.name] = c.filters
      default: break
      }
    }
    for layer in self {
      guard let expected = filters[layer.node] else {
        throw .checkpointPart(
          path: path, part: "quantization",
          problem: "\(layer.node): a convolution of the graph expected, none found")
      }
      guard layer.weightSteps.count == expected else {
        throw .checkpointPart(
          path: path, part: "quantization",
          problem: "\(layer.node): \(expected) steps expected, \(layer.weightSteps.count) found")
      }
    }
  }
}
