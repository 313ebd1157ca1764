import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Testing

/// Losses side by side.
@Suite struct CombinedLossTests {
  private func combined(_ recipes: [LossRecipe]) throws -> CombinedLoss {
    try CombinedLoss(recipes, picture: ImageSpec(.rgb), engine: Engine(threads: 1)) { _ in
      throw NaiveError(description: "no features")
    }
  }

  @Test func isTheSumOfItsParts() throws {
    let fixture = try LossFixture()
    let result = try fixture["result"], target = try fixture["target"]
    var loss = try combined([
      LossRecipe(.l1, weight: 0.5), LossRecipe(.ssim, weight: 2),
      LossRecipe(.charbonnier(epsilon: 1e-3)), LossRecipe(.totalVariation, weight: 0.1),
      LossRecipe(.l2, weight: 0), LossRecipe(.l1, weight: 1),
    ])
    #expect(
      loss.parts.map(\.name) == ["l1", "ssim", "charbonnier", "total-variation", "l2", "l1-2"])
    let found = try loss.evaluate(result, target)
    let names = ["l1", "ssim", "charbonnier", "total-variation", "l2", "l1"]
    var total = 0.0
    var gradient = Array(repeating: 0.0, count: result.count)
    for (part, name) in zip(loss.parts, names) {
      let value = try fixture.value("pixels.\(name).value")
      #expect(abs(part.value - value) <= 1e-6 * value, "\(name)")
      total += part.weight * value
      for (i, g) in try fixture["pixels.\(name).gradient"].floats.enumerated() {
        gradient[i] += part.weight * Double(g)
      }
    }
    #expect(abs(found.value - total) <= 1e-6 * total)
    let agreement = Agreement(
      found.gradient, expected: try Tensor(shape: result.shape, gradient.map(Float.init)))
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test func recipesThatMakeNoLoss() throws {
    func problem(_ recipes: [LossRecipe]) -> String {
      let error = #expect(throws: TrainingError.self) { try combined(recipes) }
      return error?.description ?? ""
    }
    #expect(problem([]) == "losses: expected one at least, found none")
    #expect(
      problem([LossRecipe(.l2, weight: -1)])
        == "losses.l2.weight: expected a number of 0 or more, found -1.0")
    #expect(throws: NaiveError.self) {
      try combined([LossRecipe(.perceptual(PerceptualRecipe(checkpoint: "vgg.pth")))])
    }
  }
}
