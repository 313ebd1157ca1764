import AviaryContainers
import AviaryFiles
import AviaryTensor
import FoundationEssentials

/// What the HDF5 tree of a native checkpoint means.
struct CheckpointReader {
  let path: String
  let version: CheckpointVersion
  let tree: HDF5Tree
  private let weights: HDF5Tree.Group

  init(_ tree: HDF5Tree) throws(CheckpointError) {
    guard CheckpointFile.isCheckpoint(tree) else {
      throw .notWeights(path: tree.path, found: "\(FileKind.hdf5.label) of another kind")
    }
    path = tree.path
    version = try Self.version(of: tree)
    self.tree = tree
    guard let group = try Self.group(CheckpointLayout.Member.weights, in: tree.root, path) else {
      throw .damaged(path: path, part: "/weights", reason: "expected a group, found none")
    }
    weights = group
  }

  /// A member that is a group; nil where there is none of the name.
  static func group(
    _ name: String, in parent: HDF5Tree.Group, _ path: String
  ) throws(CheckpointError) -> HDF5Tree.Group? {
    switch parent[name] {
    case .group(let group): return group
    case .dataSet(let dataSet):
      throw .damaged(
        path: path, part: dataSet.path, reason: "expected a group, found a data set")
    case nil: return nil
    }
  }

  private static func version(of tree: HDF5Tree) throws(CheckpointError) -> CheckpointVersion {
    let name = CheckpointLayout.Root.version
    guard let number = tree.root.attributes[name]?.integer, number >= 1 else {
      throw .damaged(path: tree.path, part: name, reason: "expected a number of 1 or more")
    }
    guard let version = CheckpointVersion(rawValue: number) else {
      let supported = CheckpointVersion.current.rawValue
      throw .newerVersion(path: tree.path, supported: supported, found: number)
    }
    return version
  }

  /// Everything but the weights.
  func header() throws(CheckpointError) -> CheckpointFile {
    switch version {
    case .one:
      var header = CheckpointFile(
        tensors: TensorSource(NamedTensors()),
        architecture: tree.root.attributes[CheckpointLayout.Root.architecture]?.string,
        configuration: try text(CheckpointLayout.Member.configuration),
        graph: try text(CheckpointLayout.Member.graph),
        picture: try text(CheckpointLayout.Member.picture), card: try card(),
        createdBy: try required(CheckpointLayout.Root.createdBy))
      header.storedHash = try required(CheckpointLayout.Root.contentHash)
      return header
    }
  }

  /// A tensor: its description, and where it is.
  struct Entry {
    var summary: CheckpointSummary.Entry
    var dataSet: HDF5Tree.DataSet
  }

  /// The tensors in the model's order.
  func entries() throws(CheckpointError) -> [Entry] { try entries(of: weights) }

  func entries(of group: HDF5Tree.Group) throws(CheckpointError) -> [Entry] {
    var placed: [(position: Int, entry: Entry)] = []
    for (name, member) in group.members {
      guard case .dataSet(let dataSet) = member else {
        throw .damaged(
          path: path, part: "\(group.path)/\(name)", reason: "expected a data set, found a group")
      }
      let role = dataSet.attributes[CheckpointLayout.Attribute.role]?.string
      let position = dataSet.attributes[CheckpointLayout.Attribute.position]?.integer
      let summary = CheckpointSummary.Entry(
        name: name, shape: dataSet.shape, elementType: try elementType(of: dataSet, name),
        offset: dataSet.offset, byteCount: dataSet.storedByteCount,
        isNonPersistent: role == CheckpointLayout.Attribute.nonPersistent)
      placed.append((position ?? .max, Entry(summary: summary, dataSet: dataSet)))
    }
    // Stable: those without a position, from another writer, stay sorted by name at the end.
    return placed.sorted { $0.position < $1.position }.map(\.entry)
  }

  /// The tensors, to be read when asked for.
  func source(of entries: [Entry]) -> TensorSource {
    let descriptions = entries.map {
      TensorDescription(
        name: $0.summary.name, shape: $0.summary.shape, elementType: $0.summary.elementType,
        storedName: $0.dataSet.path, isNonPersistent: $0.summary.isNonPersistent)
    }
    return TensorSource(descriptions) { [tree] (position) throws(CheckpointError) in
      let stored = try tree.tensor(entries[position].dataSet)
      guard descriptions[position].elementType == .bfloat16 else { return stored }
      do throws(TensorError) {
        return try stored.reinterpreted(as: .bfloat16)
      } catch {
        throw .damaged(
          path: tree.path, part: descriptions[position].name, reason: error.description)
      }
    }
  }

  private func elementType(
    of dataSet: HDF5Tree.DataSet, _ name: String
  ) throws(CheckpointError) -> ElementType {
    guard let stored = dataSet.elementType else {
      throw .unsupported(
        path: path, what: "\(dataSet.path): elements of another type than numbers")
    }
    let stated = dataSet.attributes[CheckpointLayout.Attribute.elementType]?.string
    switch (stored, stated) {
    case (.uint16, "bfloat16"): return .bfloat16
    case (.float32, nil), (.float16, nil), (.int8, nil), (.int64, nil): return stored
    default:
      throw .elementType(
        name: "\(path): \(name)", found: stated.map { "\($0) in \(stored)" } ?? stored.rawValue)
    }
  }

  private func text(_ member: String) throws(CheckpointError) -> String? {
    try text(member, in: tree.root)
  }

  func text(
    _ member: String, in parent: HDF5Tree.Group
  ) throws(CheckpointError) -> String? {
    switch parent[member] {
    case .dataSet(let dataSet): return try tree.string(dataSet)
    case .group(let group):
      throw .damaged(
        path: path, part: group.path, reason: "expected a data set, found a group")
    case nil: return nil
    }
  }

  private func required(_ attribute: String) throws(CheckpointError) -> String {
    guard let value = tree.root.attributes[attribute]?.string else {
      throw .damaged(path: path, part: attribute, reason: "expected an attribute of text")
    }
    return value
  }

  private func card() throws(CheckpointError) -> Card {
    guard let json = try text(CheckpointLayout.Member.card) else { return Card() }
    do {
      return try JSONDecoder().decode(Card.self, from: Data(json.utf8))
    } catch {
      throw .damaged(path: path, part: "/card", reason: "expected JSON of a card")
    }
  }
}

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
          reason: "expected a group, found none")
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
      throw .damaged(path: path, part: part, reason: "expected JSON of a training's progress")
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
          reason: "expected JSON of groups of parameters")
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
          path: path, part: "\(place)/\(expected.name)", reason: "expected a data set, found none")
      }
      guard found.shape == expected.shape else {
        throw .damaged(
          path: path, part: "\(place)/\(expected.name)",
          reason: "expected shape \(expected.shape), found \(found.shape)")
      }
    }
    for found in trained where tensors[found.name] == nil {
      throw .damaged(
        path: path, part: "\(place)/\(found.name)", reason: "expected none, found a data set")
    }
  }
}

extension CheckpointReader {
  private typealias Quantization = CheckpointLayout.Quantization

  /// The scales of the layers that compute in int8, by name; empty where there are none.
  ///
  /// Whether the nodes are those of the graph is for those to say who read it.
  func quantization() throws(CheckpointError) -> [QuantizedLayer] {
    guard let group = try Self.group(CheckpointLayout.Member.quantization, in: tree.root, path)
    else { return [] }
    var layers: [QuantizedLayer] = []
    for (name, member) in group.members {
      let part = "\(group.path)/\(name)"
      guard case .dataSet(let dataSet) = member else {
        throw .damaged(path: path, part: part, reason: "expected a data set, found a group")
      }
      guard dataSet.elementType == .float32, dataSet.shape.count == 1,
        (1...Quantization.mostFilters).contains(dataSet.shape[0])
      else {
        throw .damaged(
          path: path, part: part,
          reason: "expected float32 of shape [1 to \(Quantization.mostFilters)], "
            + "found \(dataSet.elementType?.rawValue ?? "no numbers") of shape \(dataSet.shape)")
      }
      let isSigned = try isSigned(dataSet, part)
      guard case .floats(let steps)? = dataSet.attributes[Quantization.inputScale],
        steps.count == 1,
        QuantizedLayer.isStep(Float(steps[0]))
      else {
        throw .damaged(
          path: path, part: part,
          reason: "expected an attribute \(Quantization.inputScale) above 0, found none")
      }
      let weights = try tree.tensor(dataSet).floats
      guard weights.allSatisfy(QuantizedLayer.isStep) else {
        throw .damaged(
          path: path, part: part, reason: "expected finite numbers above 0, found others")
      }
      layers.append(
        QuantizedLayer(
          node: name, inputScale: Float(steps[0]), isSigned: isSigned, weightScales: weights))
    }
    return layers.sorted { $0.node < $1.node }
  }

  private func isSigned(
    _ dataSet: HDF5Tree.DataSet, _ part: String
  ) throws(CheckpointError) -> Bool {
    switch dataSet.attributes[Quantization.inputType]?.string {
    case Quantization.signed: return true
    case Quantization.unsigned: return false
    case let found:
      throw .damaged(
        path: path, part: part,
        reason: "expected an attribute \(Quantization.inputType) of int8 or uint8, "
          + "found \(found ?? "none")")
    }
  }
}
