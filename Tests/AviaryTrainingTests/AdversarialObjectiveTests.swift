import AviaryTensor
import AviaryTestSupport
@testable import AviaryTraining
import Testing

/// What is made of a discriminator's scores, against PyTorch's binary cross-entropy with logits.
@Suite struct AdversarialObjectiveTests {
  @Test(arguments: AdversarialRecipe.Kind.allCases)
  func agreesWithPyTorch(_ kind: AdversarialRecipe.Kind) throws {
    let fixture = try LossFixture()
    let objective = AdversarialObjective(kind: kind)
    let results = try fixture["scores.results"].floats
    let targets = try fixture["scores.targets"].floats
    let stem = "scores.\(kind.rawValue)"
    func check(_ found: [Float], _ name: String) throws {
      let agreement = try Agreement(
        Tensor(shape: [found.count], found), expected: fixture["\(stem).\(name)"])
      #expect(agreement.relative <= 1e-6, "\(name): \(agreement)")
    }
    let generator = objective.generator(results: results, targets: targets)
    let expected = try fixture.value("\(stem).generator.value")
    #expect(abs(generator.value - expected) <= 1e-12 * abs(expected))
    try check(generator.results, "generator.results")

    let discriminator = objective.discriminator(results: results, targets: targets)
    let wanted = try fixture.value("\(stem).discriminator.value")
    #expect(abs(discriminator.value - wanted) <= 1e-12 * abs(wanted))
    try check(discriminator.results, "discriminator.results")
    try check(discriminator.targets, "discriminator.targets")
  }

  /// Scores beyond what the exponential function can take.
  @Test(arguments: AdversarialRecipe.Kind.allCases)
  func largeScoresDoNotOverflow(_ kind: AdversarialRecipe.Kind) {
    let objective = AdversarialObjective(kind: kind)
    let loss = objective.discriminator(results: [1e4, -1e4], targets: [-1e5, 1e5])
    #expect(loss.value.isFinite && (loss.results + loss.targets).allSatisfy(\.isFinite))
    #expect(objective.generator(results: [-1e5], targets: [1e5]).value.isFinite)
    // What is no number shows.
    #expect(objective.discriminator(results: [.nan], targets: [1]).value.isNaN)
    #expect(objective.generator(results: [.nan], targets: [1]).value.isNaN)
  }
}
