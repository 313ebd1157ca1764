package import AviaryGraph

/// The shapes of a graph's values as far as they are the same for pictures of every size: what a
/// target that must be told sizes can be told.
package struct ExportShapes: Sendable {
  /// For each value the dimensions; nil where they depend on the picture's.
  package let values: [[Int?]]

  /// The side of the smaller of two pictures that are compared: divisible by what networks divide
  /// by, and larger than their windows.
  private static let side = 7_680  // 2^9 · 3 · 5

  /// Compares the shapes for two sizes of picture.
  ///
  /// - Throws: `InterchangeError.graph` for a network that takes neither.
  package init(_ graph: Graph) throws(InterchangeError) {
    do {
      let small = try graph.shapes(for: Self.inputs(graph, batch: 2, side: Self.side))
      let large = try graph.shapes(for: Self.inputs(graph, batch: 3, side: 2 * Self.side))
      values = zip(small, large).map { small, large in
        zip(small, large).map { $0 == $1 ? $0 : nil }
      }
    } catch {
      throw .graph(error)
    }
  }

  private static func inputs(_ graph: Graph, batch: Int, side: Int) -> [[Int]] {
    graph.inputs.map { input in
      let size = input.size ?? Size(side)
      return [batch, input.channels, size.height, size.width]
    }
  }

  /// How many dimensions a value has.
  package func rank(_ value: Int) -> Int { values[value].count }

  /// The number of a value's channels, which never depends on the picture.
  package func channels(_ value: Int) -> Int { values[value].count > 1 ? values[value][1] ?? 1 : 1 }
}
