internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

/// A checkpoint that a training goes on from.
struct ResumePoint {
  /// Where it stood.
  let progress: TrainingProgress
  /// The averaged weights: those that the checkpoint is about.
  let average: [String: Tensor]
  /// The weights that the optimiser works on.
  let weights: [String: Tensor]
  /// What the optimisers remember, and the discriminator.
  let state: TrainingState
  /// What is known of the network so far.
  let card: Card
  private let path: String

  /// Reads a checkpoint, and verifies its content hash.
  ///
  /// - Throws: `CheckpointError` for a file that cannot be read; `TrainingError.training` for one of
  ///   another network, or without the state of a training.
  init(_ path: String, of network: Network) throws {
    self.path = path
    let file = try CheckpointFile(path)
    let found = file.architecture ?? "a network without a name"
    guard file.architecture == network.architecture else {
      throw TrainingError.training(
        path, expected: "a checkpoint of \(network.architecture) to resume from",
        found: "one of \(found)")
    }
    let difference = Difference(WeightIndex(file.tensors), network.graph, network: found)
    guard difference.isEmpty else { throw AviaryError.weightsDoNotFit(path: path, difference) }
    guard let state = file.training, let progress = state.progress, state.optimizer != nil else {
      throw TrainingError.training(
        path, expected: "the state of a training to resume", found: "weights alone")
    }
    try file.verify(path)
    (self.state, self.progress, card) = (state, progress, file.card)
    average = try ResumePoint.tensors(file.tensors, path)
    // The optimiser's own weights must be the same tensors: the state's reader sees to that.
    weights =
      try state.weights.map { source throws in
        try ResumePoint.tensors(source, path)
      } ?? average
  }

  /// The checkpoint to go on from; nil to begin.
  ///
  /// - Throws: `TrainingError` for a folder that holds a training already, where one is to begin, and
  ///   for more steps done than the recipe has; what `init` throws.
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
      // A network without its checkpoints is worth as much.
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

  /// Whether going on is exact, in a line for the user.
  static func report(step: Int, _ differences: [String]) -> String {
    "resumed at step \(step)"
      + (differences.isEmpty
        ? ": the weights will be those of an uninterrupted training"
        : "; not the very weights of an uninterrupted training: "
          + differences.joined(separator: "; "))
  }

  /// Why going on will not give the very weights that an uninterrupted training would have given; empty
  /// where it will.
  ///
  /// - Parameters:
  ///   - recipe: the one to go on by.
  ///   - now: where the training stands, by this process.
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
    if now.dataFingerprint != progress.dataFingerprint { found.append("other pictures") }
    if now.program != progress.program {
      found.append("\(now.program), before \(progress.program)")
    }
    if now.algorithms != progress.algorithms {
      let pair = zip(now.algorithms, progress.algorithms).first { $0 != $1 }
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
        description.isBookkeeping ? tensor : tensor.converted(to: .float32)
    }
    return tensors
  }
}
