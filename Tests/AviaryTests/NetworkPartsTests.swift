import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import Aviary

/// A network calculated part by part is the network calculated whole.
@Suite struct NetworkPartsTests {
  private func source(_ graph: Graph, seed: UInt64) -> TensorSource {
    let weights = randomWeights(for: graph, seed: seed)
    return TensorSource(
      NamedTensors(graph.parameters.compactMap { p in weights[p.name].map { (p.name, $0) } }))
  }

  @Test(arguments: 0..<12) func partsAreTheWhole(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let graph = try Graph(channels: 3) { x in
      randomNetwork(x, steps: 8 + seed, &generator)
    }
    let weights = source(graph, seed: UInt64(seed) + 100)
    let input = randomTensor([1, 3, 12, 10], seed: 7)
    let whole = try GraphPartition(graph, inputShapes: [input.shape], budget: .max)
    let parts = try GraphPartition(graph, inputShapes: [input.shape], budget: 1)
    #expect(whole.count == 1)
    let expected = try whole.run([input], weights)
    let found = try parts.run([input], weights)
    for (a, b) in zip(expected, found) {
      #expect(a.shape == b.shape)
      #expect(TensorDifference(a, b).relative <= 1e-5)
    }
  }

  @Test func everyLayerOfALargeNetworkIsAPart() throws {
    let graph = try Registry.builtin["vdsr"].network(["layers": 6]).graph
    let parts = try GraphPartition(graph, inputShapes: [[1, 1, 9, 9]], budget: 64 * 64 * 9 * 4)
    // The first is small enough to be in one with the second; the last is in one with the fifth.
    #expect((4...6).contains(parts.count))
  }
}
