internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryFormats
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

/// The checkpoint that a training resumes from.
struct ResumePoint {
  /// How far it had come.
  let progress: TrainingProgress
  /// The averaged weights: those that the checkpoint stores as its model.
  let average: [String: Tensor]
  /// The weights that the optimizer updates.
  let weights: [String: Tensor]
  /// The state of the optimizers, and the discriminator.
  let state: TrainingState
  /// The model card so far.
  let card: Card
  private let path: String

  /// Reads a checkpoint and verifies its content hash.
  ///
  /// - Throws: `CheckpointError` for a file that cannot be read; `TrainingError.training` for one
  ///   of another network or without training state.
  init(_ path: String, of network: Network) throws {
    self.path = path
    let file = try CheckpointFile(path)
    let found = file.architecture ?? "a network without a name"
    guard file.architecture == network.architecture else {
      throw TrainingError.training(
        path, expected: "a checkpoint of \(network.architecture) to resume from",
        found: "one of \(found)")
    }
    let difference = StateDictDifference(WeightIndex(file.tensors), network.graph, network: found)
    guard difference.isEmpty else { throw AviaryError.weightsDoNotFit(path: path, difference) }
    guard let state = file.training, let progress = state.progress, state.optimizer != nil else {
      throw TrainingError.training(
        path, expected: "the state of a training to resume", found: "weights alone")
    }
    try file.verify(path)
    (self.state, self.progress, card) = (state, progress, file.card)
    average = try ResumePoint.tensors(file.tensors, path)
    // The optimizer's weights must be the same tensors, which the state's reader ensures.
    weights =
      try state.weights.map { source throws in
        try ResumePoint.tensors(source, path)
      } ?? average
  }

  /// The checkpoint to resume from; nil for a new training.
  ///
  /// - Throws: `TrainingError` if a new training's folder already holds one, or if more steps are
  ///   done than the recipe has; errors from `init`.
  static func found(
    _ checkpoint: String?, _ recipe: Recipe, _ network: Network, _ folder: RunFolder
  ) throws -> ResumePoint? {
    guard let checkpoint else {
      // A forgotten `--resume` must not cost days of training.
      if let last = folder.checkpoints.last {
        throw TrainingError.training(
          folder.path,
          expected: "a folder without checkpoints, or that the training there is resumed",
          found: "checkpoints up to step \(last.step)")
      }
      // A trained network is worth as much, even without checkpoints.
      if let model = folder.networks.first {
        throw TrainingError.training(
          folder.path, expected: "a folder without networks of another training", found: model)
      }
      return nil
    }
    let resumed = try ResumePoint(checkpoint, of: network)
    guard resumed.progress.step <= recipe.steps else {
      throw TrainingError.recipe(
        field: "steps", expected: "at least the \(resumed.progress.step) that are done",
        found: "\(recipe.steps)")
    }
    return resumed
  }

  /// Whether resuming is exact, as one line for the user.
  static func report(step: Int, _ differences: [String]) -> String {
    "resumed at step \(step)"
      + (differences.isEmpty
        ? ": the weights will be those of an uninterrupted training"
        : "; not the very weights of an uninterrupted training: "
          + differences.joined(separator: "; "))
  }

  /// The reasons why resuming will not give exactly the weights of an uninterrupted training; empty
  /// if it will.
  ///
  /// - Parameters:
  ///   - recipe: the recipe to resume with.
  ///   - now: the training's progress according to this process.
  func differences(_ recipe: Recipe, _ now: TrainingProgress) -> [String] {
    var found: [String] = []
    if let earlier = try? Recipe(yaml: progress.recipe, name: path) {
      found += recipe.differences(from: earlier)
    } else {
      found.append("a recipe that this version does not read")
    }
    if now.threads != progress.threads {
      found.append("threads \(now.threads), before \(progress.threads)")
    }
    let (processes, before) = (now.processes ?? 1, progress.processes ?? 1)
    if processes != before { found.append("processes \(processes), before \(before)") }
    if now.dataFingerprint != progress.dataFingerprint { found.append("other images") }
    if now.program != progress.program {
      found.append("\(now.program), before \(progress.program)")
    }
    let earlier = progress.algorithms.map(\.renamed)
    if now.algorithms != earlier {
      let pair = zip(now.algorithms, earlier).first { $0 != $1 }
      found.append(
        pair.map { new, old in
          "\(new.layer) by \(new.implementation), before \(old.implementation)"
        } ?? "\(now.algorithms.count) calculations, before \(progress.algorithms.count)")
    }
    return found
  }

  private static func tensors(_ source: TensorSource, _ path: String) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (position, description) in source.enumerated() {
      let tensor = try source.tensor(at: position)
      tensors[description.name] =
        description.isNonPersistent ? tensor : tensor.converted(to: .float32)
    }
    return tensors
  }
}

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

  /// The same under the names of today: version 0.2 had others for two kinds of fused op.
  fileprivate var renamed: Self {
    var named = self
    for (old, new) in [("relayout: ", "reorder: "), ("affine: ", "scaleShift: ")]
    where implementation.hasPrefix(old) {
      named.implementation = new + implementation.dropFirst(old.count)
    }
    return named
  }
}

extension PlanChoice {
  /// A stored choice. Version 0.2 had other words for the same memory formats and algorithms.
  init(_ kept: TrainingProgress.Algorithm) {
    var choice = PlanChoice(layer: kept.layer, candidate: kept.implementation)
    for (word, name) in [
      ("planar", "nchw"), ("channelsLast", "nhwc"), ("blocked", "nChw16c"), ("planes", "spatial"),
    ] { choice.candidate = choice.candidate.replacing(word, with: name) }
    for (ending, name) in [(" affine", " scaleShift"), (" relayout", " reorder")]
    where choice.layer.hasSuffix(ending) {
      choice.layer = choice.layer.dropLast(ending.count) + name
    }
    self = choice
  }
}
