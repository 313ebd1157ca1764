import AviaryCheckpoint
import Aviary
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Every architecture on the engine against PyTorch, elementwise.
@Suite struct EngineFixtureTests {
  // With and without the algorithms that trade accuracy for speed.
  @Test(arguments: try ArchitectureFixture.names(), [true, false])
  func engineAgreesWithPyTorch(_ name: String, exact: Bool) throws {
    let fixture = try ArchitectureFixture(name)
    let index = WeightIndex(
      Dictionary(uniqueKeysWithValues: fixture.weights.map { ($0.name, $0.tensor.shape) }))
    let fit = try Registry.builtin.detect(index, overrides: fixture.configuration)
    let weights = PackedWeights(
      Dictionary(uniqueKeysWithValues: fixture.weights.map { (fit.canonical($0.name), $0.tensor) }))
    let graph = fit.network.graph
    var plan = try Plan(
      graph, weights: weights, inputShapes: [fixture.input.shape],
      options: PlanOptions(exact: exact), engine: Engine(threads: 2))
    let results = try plan.run([graph.inputs[0].name: fixture.input])
    let agreement = Agreement(try #require(results["output"]), expected: fixture.output)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }
}
