@testable import AviaryGraph
import Testing

/// Operations that are made of others.
@Suite struct ExpansionTests {
  private func graph(_ normalization: InstanceNormalization) throws -> Graph {
    try Graph(channels: 3) { x in
      let a = x.convolution("a", 8, kernel: 3).instanceNormalization("norm", normalization).relu()
      return [a.convolution("b", 3, kernel: 3, stride: 2), a]
    }
  }

  @Test func parametersAreThoseOfTheOperation() throws {
    let graph = try graph(InstanceNormalization())
    #expect(
      graph.parameters.map(\.name) == [
        "a.weight", "a.bias", "norm.weight", "norm.bias", "b.weight", "b.bias",
      ])
    #expect(try self.graph(InstanceNormalization(affine: false)).parameters.count == 4)
  }

  /// Nodes keep their names, parameters and places; only the expansion is another operation.
  @Test func expandedGraph() throws {
    let graph = try graph(InstanceNormalization(epsilon: 1e-3))
    let (expanded, values) = try graph.expanded()
    #expect(expanded.nodes.map(\.name) == graph.nodes.map(\.name))
    #expect(
      expanded.nodes[1].op
        == .groupNormalization(GroupNormalization(groups: 8, epsilon: 1e-3)))
    #expect(expanded.nodes.map(\.parameters) == graph.nodes.map(\.parameters))
    #expect(values == Array(0..<graph.valueCount))
    #expect(
      try expanded.shapes(height: 16, width: 12) == graph.shapes(height: 16, width: 12))
    #expect(try expanded.expanded().graph == expanded)
    let plain = try Graph(channels: 3) { [$0.convolution("a", 3, kernel: 3)] }
    #expect(try plain.expanded().graph == plain)
  }

  /// What is derived of a graph is that of the operations that the expansion is made of.
  @Test func derived() throws {
    let graph = try graph(InstanceNormalization())
    #expect(graph.ratios == (try graph.expanded().graph.ratios))
    #expect(graph.ratios.last == Ratio(1, 2))
    #expect(
      try graph.tiling(height: 64, width: 64)
        == .whole(reason: "norm: groupNormalization takes the mean of the whole image"))
    #expect(
      try graph.multiplyAdds(height: 16, width: 16)
        == graph.expanded().graph.multiplyAdds(height: 16, width: 16))
  }

  @Test func equality() {
    let a = InstanceNormalization(epsilon: 1e-3).op
    #expect(a == InstanceNormalization(epsilon: 1e-3).op)
    #expect(a != InstanceNormalization(epsilon: 1e-4).op)
    #expect(Set([a, InstanceNormalization(epsilon: 1e-3).op]).count == 1)
  }

  /// A dimension that the operation cannot take is the operation's own mistake.
  @Test func wrongRank() throws {
    #expect(throws: ShapeProblem.self) {
      _ = try InstanceNormalization().op.outputShape([[4]])
    }
  }
}
