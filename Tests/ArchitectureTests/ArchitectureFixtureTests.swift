import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Every architecture against PyTorch: recognised by its weights, then computed by the oracle.
@Suite struct ArchitectureFixtureTests {
  @Test(arguments: try ArchitectureFixture.names())
  func oracleAgreesWithPyTorch(_ name: String) throws {
    let fixture = try ArchitectureFixture(name)
    let index = WeightIndex(
      Dictionary(uniqueKeysWithValues: fixture.weights.map { ($0.name, $0.tensor.shape) }))
    let fit = try Registry.builtin.detect(index, overrides: fixture.configuration)
    #expect(fit.network.architecture == fixture.architecture)
    for (member, value) in try #require(fixture.configuration.object) {
      #expect(fit.network.configuration[member] == value, "\(member)")
    }
    let weights = Dictionary(
      uniqueKeysWithValues: fixture.weights.map { (fit.canonical($0.name), $0.tensor) })
    let graph = fit.network.graph
    let result = try naive(
      graph, weights: weights, inputs: [graph.inputs[0].name: fixture.input])
    let found = try #require(result["output"])
    let agreement = Agreement(found, expected: fixture.output)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }
}
