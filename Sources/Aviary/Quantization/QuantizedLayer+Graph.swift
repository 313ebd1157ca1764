internal import AviaryCheckpoint
internal import AviaryGraph

extension [QuantizedLayer] {
  /// Throws unless the scales belong to convolutions of the graph.
  ///
  /// - Throws: `AviaryError.checkpointPart`.
  func check(against graph: Graph, _ path: String) throws(AviaryError) {
    var outChannels: [String: Int] = [:]
    // A graph that exists has shapes that its expansions have taken.
    let expanded = (try? graph.expanded().graph) ?? graph
    for node in expanded.nodes {
      switch node.op {
      case .convolution(let c): outChannels[node.name] = c.outChannels
      case .transposedConvolution(let c): outChannels[node.name] = c.outChannels
      default: break
      }
    }
    for layer in self {
      guard let expected = outChannels[layer.node] else {
        throw .checkpointPart(
          path: path, part: "quantization",
          problem: "\(layer.node): a convolution of the graph expected, none found")
      }
      guard layer.weightScales.count == expected else {
        throw .checkpointPart(
          path: path, part: "quantization",
          problem: "\(layer.node): \(expected) steps expected, \(layer.weightScales.count) found")
      }
    }
  }
}
