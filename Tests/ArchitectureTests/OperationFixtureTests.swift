import AviaryTestSupport
import Testing

/// The oracle against PyTorch, one operation at a time.
@Suite struct OperationFixtureTests {
  @Test func oracleAgreesWithPyTorch() throws {
    let fixtures = try OperationFixture.all()
    #expect(fixtures.count >= 187)
    for fixture in fixtures {
      do {
        let result = try naive(fixture.graph, weights: fixture.weights, inputs: fixture.inputs)
        let found = try #require(result["output"])
        let agreement = Agreement(found, expected: fixture.output)
        // Both are computed in float64 and rounded once.
        #expect(agreement.relative <= 2e-7, "\(fixture): \(agreement)")
      } catch {
        Issue.record("\(fixture): \(error)")
      }
    }
  }
}
