internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryTraining

/// The pieces that a run is made of.
extension TrainingRun {
  /// The checkpoint to go on from; nil to begin.
  ///
  /// - Throws: `TrainingError` for a folder that holds a training already, where one is to begin, and
  ///   for more steps done than the recipe has; what `ResumedTraining` throws.
  static func resumed(
    _ checkpoint: String?, _ recipe: Recipe, _ network: Network, _ folder: RunFolder
  ) throws -> ResumedTraining? {
    guard let checkpoint else {
      // A forgotten `--resume` must not cost days of training.
      if let last = folder.checkpoints.last {
        throw TrainingError.training(
          folder.path,
          expected: "a folder without checkpoints, or that the training there is resumed",
          found: "checkpoints up to step \(last.step)")
      }
      // A network without its checkpoints is worth as much.
      if let model = folder.networks.first {
        throw TrainingError.training(
          folder.path, expected: "a folder without networks of another training", found: model)
      }
      return nil
    }
    let resumed = try ResumedTraining(checkpoint, of: network)
    guard resumed.progress.step <= recipe.steps else {
      throw TrainingError.recipe(
        field: "steps", expected: "at least the \(resumed.progress.step) that are done",
        found: "\(recipe.steps)")
    }
    return resumed
  }

  /// What of a recipe the trainer wants to know.
  static func settings(_ recipe: Recipe, output: Int) -> TrainerSettings {
    var settings = TrainerSettings()
    settings.output = output
    settings.clipNorm = recipe.clipNorm
    settings.parts = recipe.batch.accumulation
    settings.seed = recipe.seed
    settings.options = PlanOptions(precision: recipe.precision)
    return settings
  }

  /// How far the training is, by this process; what was counted before is taken over.
  static func progress(
    _ recipe: Recipe, _ data: TrainingSet, _ resumed: ResumedTraining?, step: Int,
    plan: [PlanStep], _ engine: Engine, processes: Int
  ) -> TrainingProgress {
    TrainingProgress(
      step: step, recipe: recipe.yaml, seed: recipe.seed, dataFingerprint: data.fingerprint,
      program: Aviary.versionLine, threads: engine.threads,
      algorithms: plan.map {
        .init(layer: $0.name, implementation: "\($0.operation): \($0.implementation)")
      },
      best: resumed?.progress.best, seconds: resumed?.progress.seconds ?? 0,
      samples: resumed?.progress.samples ?? 0, processes: processes)
  }

  /// The card, but for what changes on the way.
  static func card(
    _ recipe: Recipe, _ data: TrainingSet, _ start: TrainingStart, _ resumed: ResumedTraining?,
    _ now: TrainingProgress
  ) -> Card {
    var card = Card()
    card.provenance = resumed?.card.provenance ?? start.provenance
    card.notes = resumed?.card.notes ?? []
    let differences = resumed?.differences(recipe, now) ?? []
    if !differences.isEmpty {
      card.notes.append(
        "Training resumed at step \(now.step): " + differences.joined(separator: "; "))
    }
    // The folder's name alone: where it lies concerns nobody else.
    let source = recipe.data.targets.pathNames.last ?? "pictures"
    card.trainingData = "\(data.pictureCount) pictures of \(source)"
    return card
  }
}

extension TrainingStart {
  /// What the user should know before the first step: which pictures are left out, which weights were
  /// taken, and whether going on is exact.
  func messages(
    _ data: TrainingSet, _ resumed: ResumedTraining?, _ recipe: Recipe, _ now: TrainingProgress
  ) -> [String] {
    var lines = data.skipped.map { "\($0.name): left out: \($0.reason)" } + messages
    if let resumed {
      let differences = resumed.differences(recipe, now)
      lines.append(
        "resumed at step \(now.step)"
          + (differences.isEmpty
            ? ": the weights will be those of an uninterrupted training"
            : "; not the very weights of an uninterrupted training: "
              + differences.joined(separator: "; ")))
    }
    return lines
  }
}
