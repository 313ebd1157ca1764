internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTraining

extension PlanOptions {
  /// Decides by what a training's layers are chosen: as they were when it began, so that going on
  /// gives the very weights of an uninterrupted training; else by what is measured, in the first of
  /// several processes for all, or by estimate.
  ///
  /// - Parameters:
  ///   - progress: of the training that is resumed; nil where one begins.
  ///   - tuning: nil for estimates.
  /// - Throws: `ComputeError` for a network that cannot be planned, and what the other processes throw.
  mutating func decide(
    _ graph: Graph, _ batchShape: [Int], output: Int, _ progress: TrainingProgress?,
    _ tuning: Tuning?, _ communicator: any Communicator, _ engine: Engine
  ) throws {
    if let progress {
      // Before choices were written down, they were by estimate.
      choices = (progress.choices ?? []).map { PlanChoice($0) }
      if choices.isEmpty { return }
    }
    self.tuning = tuning
    guard communicator.size > 1, choices.isEmpty else { return }
    var decided = ""
    if communicator.rank == 0 {
      let choices = try TrainingPlan.choices(
        graph, inputShapes: [batchShape], outputs: [graph.outputs[output].name], options: self,
        engine: engine)
      decided = try JSON(encoding: choices).text
    }
    let first = try JSON(parsing: communicator.gather(decided)[0])
    choices = (first.array ?? []).compactMap { choice in
      guard let layer = choice["layer"]?.string, let mode = choice["mode"]?.string else {
        return nil
      }
      return PlanChoice(layer: layer, mode: mode)
    }
  }
}

extension TrainingProgress.Algorithm {
  /// A choice as checkpoints have it.
  init(_ choice: PlanChoice) { self.init(layer: choice.layer, implementation: choice.mode) }
}

extension PlanChoice {
  /// A choice that was kept.
  fileprivate init(_ kept: TrainingProgress.Algorithm) {
    self.init(layer: kept.layer, mode: kept.implementation)
  }
}
