import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// The gradients of single operations against PyTorch's.
@Suite struct GradientFixtureTests {
  @Test func gradientsAgreeWithPyTorch() throws {
    let fixtures = try GradientFixture.all()
    #expect(fixtures.count >= 198)
    for fixture in fixtures {
      do {
        try check(fixture)
      } catch {
        Issue.record("\(fixture): \(error)")
      }
    }
  }

  /// Windows and attention, up to whole blocks of networks: values and gradients.
  @Test func attentionAgreesWithPyTorch() throws {
    let fixtures = try GradientFixture.attention()
    #expect(fixtures.count >= 25)
    for fixture in fixtures {
      do {
        let found = try naive(fixture.graph, weights: fixture.weights, inputs: fixture.inputs)
        let agreement = Agreement(
          try #require(found["output"]), expected: try #require(fixture.output))
        #expect(agreement.relative <= 1e-6, "\(fixture): the oracle: \(agreement)")
        try check(fixture)
      } catch {
        Issue.record("\(fixture): \(error)")
      }
    }
  }

  private func check(_ fixture: GradientFixture) throws {
    var plan = try TrainingPlan(
      fixture.graph, inputShapes: fixture.graph.inputs.map { fixture.inputs[$0.name]?.shape ?? [] },
      gradientsOf: [.parameters, .inputs], engine: Engine())
    // Twice: nothing may be left over from the first run, and the second gives the same bits.
    var before: [String: [Float]]?
    for _ in 0..<2 {
      let (outputs, statistics) = try plan.forward(fixture.inputs, parameters: fixture.weights)
      if let output = fixture.output {
        let agreement = Agreement(try #require(outputs["output"]), expected: output)
        #expect(agreement.relative <= 1e-5, "\(fixture): output: \(agreement)")
      }
      #expect(Set(statistics.keys) == Set(fixture.statistics.keys))
      for (name, tensor) in fixture.statistics {
        let agreement = Agreement(try #require(statistics[name]), expected: tensor)
        #expect(agreement.relative <= 1e-5, "\(fixture): \(name): \(agreement)")
      }
      let gradients = try plan.backward(["output": fixture.cotangent])
      let all = gradients.parameters.merging(gradients.inputs) { $1 }
      let bits = all.mapValues(\.floats)
      #expect(before == nil || before == bits, "\(fixture)")
      before = bits
      for (name, tensor) in fixture.gradients {
        let agreement = Agreement(try #require(all[name]), expected: tensor)
        #expect(agreement.relative <= 1e-4, "\(fixture): \(name): \(agreement)")
      }
      // What PyTorch has none for is what no output depends on.
      for (name, tensor) in all where fixture.gradients[name] == nil {
        #expect(tensor.floats.allSatisfy { $0 == 0 }, "\(fixture): \(name)")
      }
    }
    let slow = plan.steps.filter {
      $0.implementation.hasPrefix("ref")
    }
    #expect(slow.isEmpty, "\(fixture): \(slow.map { "\($0.operation) \($0.implementation)" })")
  }
}
