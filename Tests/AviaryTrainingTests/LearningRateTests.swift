import AviaryTraining
import Testing

@Suite("learning rates")
struct LearningRateTests {
  private func schedule(
    _ kind: ScheduleRecipe.Kind, warmup: Int = 0, floor: Double = 0, milestones: [Int] = [],
    factor: Double = 0.5
  ) -> ScheduleRecipe {
    var recipe = ScheduleRecipe()
    (recipe.kind, recipe.warmup, recipe.minLearningRateRatio) = (kind, warmup, floor)
    (recipe.milestones, recipe.factor) = (milestones, factor)
    return recipe
  }

  @Test("the curves are PyTorch's")
  func curves() throws {
    let expected = try OptimizerFixture.read().schedules
    let schedules = [
      "constant": schedule(.constant),
      "constant-warm": schedule(.constant, warmup: 4),
      "step-warm": schedule(.step, warmup: 3, milestones: [5, 12], factor: 0.4),
      "cosine": schedule(.cosine, floor: 0.01),
      "cosine-warm": schedule(.cosine, warmup: 4),
      "one-cycle": schedule(.oneCycle, floor: 0.01),
    ]
    #expect(schedules.keys.sorted() == expected.keys.sorted())
    for (name, recipe) in schedules {
      let curve = try LearningRate(recipe, rate: 2e-3, steps: 20)
      for (step, rate) in try #require(expected[name]).enumerated() {
        #expect(abs(curve.at(step) - rate) <= 1e-14, "\(name): step \(step)")
      }
      // Beyond the ends.
      #expect(curve.at(99) == curve.at(19))
      #expect(curve.at(-1) == curve.at(0))
    }
  }

  @Test("trainings of any length have rates between zero and the highest")
  func lengths() throws {
    for kind in [ScheduleRecipe.Kind.constant, .cosine, .oneCycle] {
      for steps in [1, 2, 3, 4, 7, 100_000] {
        let curve = try LearningRate(schedule(kind), rate: 1, steps: steps)
        for step in [0, 1, 2, steps / 2, steps - 1] {
          #expect((0...1.000_001).contains(curve.at(step)), "\(kind), step \(step) of \(steps)")
        }
      }
    }
  }

  @Test("what makes no curve is refused")
  func refusals() {
    func message(_ recipe: ScheduleRecipe, rate: Double = 1, steps: Int = 20) -> String? {
      #expect(throws: TrainingError.self) {
        try LearningRate(recipe, rate: rate, steps: steps)
      }?.description
    }
    #expect(
      message(schedule(.cosine), rate: -1)
        == "optimizer.learning-rate: expected a number above 0, found -1.0")
    #expect(
      message(schedule(.cosine), steps: 0) == "steps: expected a number of 1 or more, found 0")
    #expect(
      message(schedule(.cosine, warmup: 20))
        == "schedule.warmup: expected 0 or more, and fewer than the 20 steps of the training, found 20"
    )
    #expect(
      message(schedule(.oneCycle, warmup: 5))
        == "schedule.warmup: expected 0 with one-cycle, which has a rise of its own, found 5")
    #expect(
      message(schedule(.cosine, floor: 1.5))
        == "schedule.min-lr-ratio: expected a number from 0 to 1, found 1.5")
    #expect(
      message(schedule(.step, milestones: [5], factor: 0))
        == "schedule.factor: expected a number above 0 and up to 1, found 0.0")
    #expect(
      message(schedule(.cosine, milestones: [5]))
        == "schedule.milestones: expected none with cosine, found [5]")
    for milestones in [[], [5, 5], [7, 5], [0, 5], [5, 20]] {
      #expect(
        message(schedule(.step, milestones: milestones))
          == "schedule.milestones: expected steps in ascending order, each from 1 to 19, "
          + "found \(milestones)")
    }
  }
}
