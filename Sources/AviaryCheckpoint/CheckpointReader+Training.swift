import AviaryContainers
import AviaryTensor
import FoundationEssentials

extension CheckpointReader {
  private typealias Training = CheckpointLayout.Training

  /// What a training needs to go on; nil where there is nothing of it.
  ///
  /// - Parameter tensors: the checkpoint's own, whose names and shapes the training's weights have.
  func training(of tensors: TensorSource) throws(CheckpointError) -> TrainingState? {
    guard let group = try Self.group(CheckpointLayout.Member.training, in: tree.root, path) else {
      return nil
    }
    var state = TrainingState(
      progress: try progress(in: group), weights: try weights(in: group),
      optimizer: try optimizer(in: group))
    if let weights = state.weights { try require(weights, alike: tensors, in: group) }
    if let adversary = try Self.group(Training.adversary, in: group, path) {
      guard let weights = try weights(in: adversary) else {
        throw .damaged(
          path: path, part: "\(adversary.path)/\(Training.weights)",
          reason: "a group expected, none found")
      }
      state.adversary = TrainingState.Adversary(
        weights: weights, optimizer: try optimizer(in: adversary))
    }
    return state.isEmpty ? nil : state
  }

  private func progress(in group: HDF5Tree.Group) throws(CheckpointError) -> TrainingProgress? {
    guard let json = try text(Training.progress, in: group) else { return nil }
    let part = "\(group.path)/\(Training.progress)"
    guard let found = try? JSONDecoder().decode(TrainingProgress.self, from: Data(json.utf8)) else {
      throw .damaged(path: path, part: part, reason: "JSON of a training's progress expected")
    }
    if let problem = found.problem { throw .damaged(path: path, part: part, reason: problem) }
    return found
  }

  private func weights(in group: HDF5Tree.Group) throws(CheckpointError) -> TensorSource? {
    guard let weights = try Self.group(Training.weights, in: group, path) else { return nil }
    return source(of: try entries(of: weights))
  }

  private func optimizer(in training: HDF5Tree.Group) throws(CheckpointError) -> OptimizerState? {
    guard let slots = try Self.group(Training.optimizer, in: training, path) else { return nil }
    var groups: [OptimizerState.Group] = []
    if let json = try text(Training.groups, in: training) {
      do {
        groups = try JSONDecoder().decode([OptimizerState.Group].self, from: Data(json.utf8))
      } catch {
        throw .damaged(
          path: path, part: "\(training.path)/\(Training.groups)",
          reason: "JSON of groups of parameters expected")
      }
    }
    return OptimizerState(
      algorithm: training.attributes[Training.algorithm]?.string,
      step: training.attributes[Training.step]?.integer, groups: groups,
      tensors: source(of: try entries(of: slots)))
  }

  /// Throws unless the tensors that are trained are those that the checkpoint is about.
  private func require(
    _ trained: TensorSource, alike tensors: TensorSource, in group: HDF5Tree.Group
  ) throws(CheckpointError) {
    let place = "\(group.path)/\(Training.weights)"
    for expected in tensors {
      guard let found = trained[expected.name] else {
        throw .damaged(
          path: path, part: "\(place)/\(expected.name)", reason: "a data set expected, none found")
      }
      guard found.shape == expected.shape else {
        throw .damaged(
          path: path, part: "\(place)/\(expected.name)",
          reason: "shape \(expected.shape) expected, \(found.shape) found")
      }
    }
    for found in trained where tensors[found.name] == nil {
      throw .damaged(
        path: path, part: "\(place)/\(found.name)", reason: "none expected, a data set found")
    }
  }
}
