import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryTestSupport
import Testing

/// Every architecture in tiles, at odd sizes, with the oracle.
@Suite struct ArchitectureTilingTests {
  @Test(arguments: try ArchitectureFixture.names())
  func tilesGiveTheWhole(_ name: String) throws {
    let fixture = try ArchitectureFixture(name)
    let graph = try Registry.builtin[fixture.architecture].network(fixture.configuration).graph
    let rule = graph.sizeRule()
    // Odd sizes, as far as the network takes them.
    let height = 37 / rule.multiple * rule.multiple, width = 43 / rule.multiple * rule.multiple
    guard case .exact(_, let multiple) = try graph.tiling(height: height, width: width) else {
      Issue.record("\(name) runs whole only")
      return
    }
    let tile = (16 + multiple - 1) / multiple * multiple
    let weights = randomWeights(for: graph, seed: 21)
    let input = randomTensor([1, graph.inputs[0].channels, height, width], seed: 22)
    let whole = try naive(graph, weights: weights, inputs: ["image": input])
    let parts = try naiveTiles(graph, weights: weights, input: input, tile: tile, whole: whole)
    let agreement = Agreement(
      try #require(parts["output"]), expected: try #require(whole["output"]))
    #expect(agreement.relative <= 1e-6, "\(agreement)")
  }
}
