import AviaryTestSupport
import Foundation
import Testing

@testable import AviaryTraining

/// Recipes of version 0.2 are taken, with a note for each field that is called something else now.
@Suite struct FormerFieldTests {
  private func fixture() throws -> String {
    try String(
      contentsOf: SharedFolder.repository
        .appending(path: "Tests/Fixtures/version-0.2/recipe.yaml"), encoding: .utf8)
  }

  @Test func aRecipeOfVersionTwoMeansWhatItMeant() throws {
    var notes: [String] = []
    let recipe = try Recipe(yaml: fixture(), name: "r.yaml") { notes.append($0) }
    #expect(recipe.data.maxInvalidShare == 0.25)
    #expect((recipe.batch.horizontalFlip, recipe.batch.rot90) == (true, false))
    #expect(recipe.batch.channelShuffle == false)
    #expect(recipe.optimizer.kind == .adamw)
    #expect(recipe.optimizer.learningRate == 2e-3)
    #expect((recipe.optimizer.beta1, recipe.optimizer.beta2) == (0.8, 0.99))
    #expect((recipe.optimizer.epsilon, recipe.optimizer.weightDecay) == (1e-7, 0.01))
    #expect((recipe.schedule.kind, recipe.schedule.minLearningRateRatio) == (.step, 0.05))
    #expect((recipe.emaDecay, recipe.clipNorm) == (0.9, 2))
    #expect(
      notes == [
        "r.yaml:9: data.tolerated is called data.max-invalid-share now",
        "r.yaml:14: batch.flips is called batch.horizontal-flip now",
        "r.yaml:15: batch.turns is called batch.rot90 now",
        "r.yaml:16: batch.shuffled-channels is called batch.channel-shuffle now",
        "r.yaml:21: optimizer.rate is called optimizer.learning-rate now",
        "r.yaml:22: optimizer.momentum is called optimizer.beta1 now",
        "r.yaml:23: optimizer.second-momentum is called optimizer.beta2 now",
        "r.yaml:25: optimizer.decay is called optimizer.weight-decay now",
        "r.yaml:29: schedule.floor is called schedule.min-lr-ratio now",
        "r.yaml:32: average is called ema-decay now",
        "r.yaml:33: clip is called clip-norm now",
      ])
    // What is written has the names of today, and is read without a note.
    notes = []
    #expect(try Recipe(yaml: recipe.yaml) { notes.append($0) } == recipe)
    #expect(notes == [])
  }

  @Test func oneFieldUnderBothNamesIsRefused() throws {
    let error = #expect(throws: TrainingError.self) {
      try Recipe(yaml: "architecture: a\nclip: 1\nclip-norm: 2", name: "r.yaml")
    }
    #expect(
      error.map { "\($0)" }
        == "r.yaml:3: clip-norm: expected one value of clip-norm, found another in line 2")
  }

  @Test func flagsEndAsTheirFieldsDo() {
    // `formerFlag` replaces the end of the flag by the former name.
    for field in RecipeField.all where field.formerName != nil {
      #expect(field.path.split(separator: ".").last.map { field.flag.hasSuffix($0) } == true)
    }
    #expect(
      Set(RecipeField.all.compactMap(\.formerFlag)).isDisjoint(with: RecipeField.all.map(\.flag)))
  }
}
