internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTraining

extension PlanOptions {
  /// Decides how kernels are chosen for a training: as they were when it began, so that resuming
  /// gives exactly the weights of an uninterrupted training; otherwise by autotuning, which the
  /// first of several processes does for all, or by estimate.
  ///
  /// - Parameters:
  ///   - progress: of the resumed training; nil for a new one.
  ///   - tuning: nil for estimates.
  /// - Throws: `ComputeError` for a network that cannot be planned, and errors from the other
  ///   processes.
  mutating func decide(
    _ graph: Graph, _ batchShape: [Int], output: Int, _ progress: TrainingProgress?,
    _ tuning: Tuning?, _ communicator: any Communicator, _ engine: Engine
  ) throws {
    if let progress {
      // Before choices were recorded, they were made by estimate.
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
      guard let layer = choice["layer"]?.string, let candidate = choice["candidate"]?.string else {
        return nil
      }
      return PlanChoice(layer: layer, candidate: candidate)
    }
  }
}

extension TrainingProgress.Algorithm {
  /// A choice, as stored in checkpoints.
  init(_ choice: PlanChoice) { self.init(layer: choice.layer, implementation: choice.candidate) }
}

extension PlanChoice {
  /// A stored choice.
  fileprivate init(_ kept: TrainingProgress.Algorithm) {
    self.init(layer: kept.layer, candidate: kept.implementation)
  }
}
