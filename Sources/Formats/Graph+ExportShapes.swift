import AviaryGraph

extension Graph {
  /// The shapes of all values for `count` images of the stated sizes, or of large ones whose width is
  /// `factor` times their height: what an export finds the same for several is a constant.
  ///
  /// - Throws: `GraphError` for images that the network does not take.
  func exportShapes(count: Int, factor: Int) throws(GraphError) -> [[Int]] {
    let side = 7_680
    return try shapes(
      for: inputs.map {
        [count, $0.channels, $0.size?.height ?? side, $0.size?.width ?? factor * side]
      })
  }
}
