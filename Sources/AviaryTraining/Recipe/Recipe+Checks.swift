extension Recipe {
  /// Checks a recipe on its own, before any file is opened: the range of every number, and fields
  /// that contradict each other. Recipes made in code are checked by the same table as those from
  /// files.
  ///
  /// - Throws: `TrainingError.recipe`.
  public func check() throws(TrainingError) {
    _ = try Recipe(yaml: yaml)
    func require(
      _ holds: Bool, _ field: String, _ expected: String, _ found: String
    ) throws(TrainingError) {
      guard holds else { throw .recipe(field: field, expected: expected, found: found) }
    }
    try require(!data.targets.isEmpty, "data.targets", "a folder (--data)", "nothing")
    try require(
      batch.size % batch.accumulation == 0, "batch.accumulation",
      "a divisor of the batch's size, \(batch.size),", "\(batch.accumulation)")
    try require(!losses.isEmpty, "losses", "one loss at least", "none")
    try require(
      losses.contains { $0.weight > 0 }, "losses", "a weight above 0", "0 for all")
    try require(
      schedule.warmup < steps, "schedule.warmup", "fewer than all \(steps) steps",
      "\(schedule.warmup)")
    try require(
      schedule.kind != .step || !schedule.milestones.isEmpty, "schedule.milestones",
      "one milestone at least, for a schedule of steps,", "none")
    try require(
      zip(schedule.milestones, schedule.milestones.dropFirst()).allSatisfy { $0 < $1 },
      "schedule.milestones", "rising steps", "\(schedule.milestones)")
    try require(
      data.inputs == nil || data.degradations.isEmpty, "data.degradations",
      "none beside a folder of inputs", "\(data.degradations.count)")
  }
}
