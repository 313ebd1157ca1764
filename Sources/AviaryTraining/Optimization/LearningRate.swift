/// The learning rate of every step: a pure function, so a resumed training needs no scheduler
/// state.
public struct LearningRate: Hashable, Sendable {
  private let schedule: ScheduleRecipe
  private let rate: Double
  private let steps: Int

  /// The share of one-cycle's steps in which the rate rises, and the divisor of the highest rate
  /// for the first step: PyTorch's defaults.
  private static let (rise, division) = (0.3, 25.0)

  /// A schedule.
  ///
  /// - Parameters:
  ///   - rate: the highest learning rate.
  ///   - steps: the number of steps of the whole training.
  /// - Throws: `TrainingError.recipe` for an invalid schedule: a rate not above zero, a warm-up not
  ///   shorter than the training, milestones that do not ascend within it, a minimum ratio or a
  ///   factor outside 0 to 1, and fields that the kind does not use.
  public init(_ schedule: ScheduleRecipe, rate: Double, steps: Int) throws(TrainingError) {
    func require(
      _ condition: Bool, _ field: String, _ expected: String, _ found: Any
    ) throws(TrainingError) {
      guard condition else { throw .recipe(field: field, expected: expected, found: "\(found)") }
    }
    let kind = schedule.kind
    try require(rate > 0 && rate.isFinite, "optimizer.learning-rate", "a number above 0", rate)
    try require(steps >= 1, "steps", "a number of 1 or more", steps)
    try require(
      (0..<steps).contains(schedule.warmup), "schedule.warmup",
      "0 or more, and fewer than the \(steps) steps of the training", schedule.warmup)
    try require(
      kind != .oneCycle || schedule.warmup == 0, "schedule.warmup",
      "0 with one-cycle, which has a rise of its own", schedule.warmup)
    try require(
      (0...1).contains(schedule.minLearningRateRatio), "schedule.min-lr-ratio",
      "a number from 0 to 1", schedule.minLearningRateRatio)
    try require(
      schedule.factor > 0 && schedule.factor <= 1, "schedule.factor",
      "a number above 0 and up to 1", schedule.factor)
    let milestones = schedule.milestones
    guard kind == .step else {
      try require(
        milestones.isEmpty, "schedule.milestones", "none with \(kind.rawValue)", milestones)
      (self.schedule, self.rate, self.steps) = (schedule, rate, steps)
      return
    }
    let isAscending = zip(milestones, milestones.dropFirst()).allSatisfy { $0 < $1 }
    try require(
      !milestones.isEmpty && isAscending
        && milestones.allSatisfy { (1..<max(steps, 2)).contains($0) },
      "schedule.milestones",
      "steps in ascending order, each from 1 to \(max(steps - 1, 1))", milestones)
    (self.schedule, self.rate, self.steps) = (schedule, rate, steps)
  }

  /// The learning rate of a step, counted from 0; steps past the end have the rate of the last.
  ///
  /// - `constant` and `step` are PyTorch's `ConstantLR` with factor 1 and `MultiStepLR`.
  /// - `cosine` is its `CosineAnnealingLR` with `T_max` one less than the steps after the warm-up,
  ///   so that the last step has the lowest rate.
  /// - `one-cycle` is its `OneCycleLR` with its defaults, except for the last rate.
  /// - Warm-up is its `LinearLR` from 1 / (warmup + 1), in `SequentialLR`: the rate would be zero
  ///   one step before the first.
  public func at(_ step: Int) -> Double {
    let step = min(max(step, 0), steps - 1)
    let warmup = schedule.warmup
    let share = step < warmup ? Double(step + 1) / Double(warmup + 1) : 1
    switch schedule.kind {
    case .constant: return rate * share
    case .step:
      let passed = schedule.milestones.count { $0 <= step }
      return rate * share * PortableMath.power(schedule.factor, passed)
    case .cosine:
      if step < warmup { return rate * share }
      let last = max(steps - warmup - 1, 1)
      return Self.annealed(
        from: rate, to: rate * schedule.minLearningRateRatio, Double(step - warmup) / Double(last))
    case .oneCycle:
      let (top, last) = (Self.rise * Double(steps) - 1, Double(steps - 1))
      if Double(step) <= top {
        return Self.annealed(from: rate / Self.division, to: rate, Double(step) / top)
      }
      return Self.annealed(
        from: rate, to: rate * schedule.minLearningRateRatio, (Double(step) - top) / (last - top))
    }
  }

  /// Half a cosine period from one number to another.
  private static func annealed(from start: Double, to end: Double, _ share: Double) -> Double {
    end + (start - end) / 2 * (1 + PortableMath.cosineAndSine(ofTurns: share / 2).cosine)
  }
}
