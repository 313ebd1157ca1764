import AviaryContainers
import AviaryTensor

extension CheckpointFile {
  private typealias Training = CheckpointLayout.Training

  /// The JSON texts of a training's state, made before anything is written: a number in them may be
  /// one that JSON does not have.
  struct TrainingTexts {
    var progress: String?
    var groups: String?
    var adversaryGroups: String?

    init(_ state: TrainingState, _ path: String) throws(CheckpointError) {
      if let progress = state.progress {
        self.progress = try CheckpointFile.json(progress, "the training: a figure", path)
      }
      func groups(_ state: OptimizerState?) throws(CheckpointError) -> String? {
        guard let state else { return nil }
        return try CheckpointFile.json(state.groups, "the optimiser: a hyperparameter", path)
      }
      self.groups = try groups(state.optimizer)
      adversaryGroups = try groups(state.adversary?.optimizer)
    }
  }

  /// Writes the group of a training's state.
  func write(
    _ state: TrainingState, _ texts: TrainingTexts, in root: borrowing HDF5Writer.Object,
    by writer: borrowing HDF5Writer
  ) throws(CheckpointError) {
    let group = try writer.group(CheckpointLayout.Member.training, in: root)
    if let progress = texts.progress { try writer.text(Training.progress, progress, in: group) }
    try write(state.weights, state.optimizer, texts.groups, in: group, by: writer)
    if let adversary = state.adversary {
      let group = try writer.group(Training.adversary, in: group)
      try write(
        adversary.weights, adversary.optimizer, texts.adversaryGroups, in: group, by: writer)
    }
  }

  /// Writes the weights of a network in training, and its optimiser's state.
  private func write(
    _ weights: TensorSource?, _ optimizer: OptimizerState?, _ groups: String?,
    in group: borrowing HDF5Writer.Object, by writer: borrowing HDF5Writer
  ) throws(CheckpointError) {
    if let weights {
      _ = try write(weights, in: try writer.group(Training.weights, in: group), by: writer)
    }
    guard let optimizer, let groups else { return }
    if let algorithm = optimizer.algorithm {
      try writer.attribute(Training.algorithm, algorithm, of: group)
    }
    if let step = optimizer.step { try writer.attribute(Training.step, step, of: group) }
    try writer.text(Training.groups, groups, in: group)
    let slots = try writer.group(Training.optimizer, in: group)
    _ = try write(optimizer.tensors, in: slots, by: writer)
  }
}
