public import AviaryContainers
import AviaryTensor

/// A native checkpoint whose tensors are described now and read when asked for: what `Checkpoint`
/// is for networks larger than the memory.
public struct CheckpointFile: Sendable {
  /// The architecture's name in the registry; nil for weights that nothing recognised.
  public var architecture: String?
  /// The architecture's configuration, as JSON.
  public var configuration: String?
  /// The network itself, as JSON.
  public var graph: String?
  /// How the network takes and gives images, as JSON.
  public var picture: String?
  /// Licence, provenance, quality.
  public var card: Card
  /// The program and version that wrote the file.
  public var createdBy: String
  /// The parameters under canonical names in PyTorch's layout, in the model's order, non-persistent
  /// bufferss told by their descriptions.
  public var tensors: TensorSource
  /// What an unfinished training needs to go on, outside the content hash.
  public var training: TrainingState?
  /// The scales of the convolutions that can compute in int8, outside the content hash; empty for a
  /// network that was not calibrated for it.
  public var quantization: [QuantizedLayer] = []
  /// The content hash that the file states, not verified; nil for what comes from no file.
  public internal(set) var storedHash: String?

  /// A checkpoint of the given tensors.
  public init(
    tensors: TensorSource, architecture: String? = nil, configuration: String? = nil,
    graph: String? = nil, picture: String? = nil, card: Card = Card(),
    createdBy: String = "aviary", training: TrainingState? = nil,
    quantization: [QuantizedLayer] = []
  ) {
    self.tensors = tensors
    self.architecture = architecture
    self.configuration = configuration
    self.graph = graph
    self.picture = picture
    self.card = card
    self.createdBy = createdBy
    self.training = training
    self.quantization = quantization
  }

  /// Whether an HDF5 file says that it is a native checkpoint.
  package static func isCheckpoint(_ tree: HDF5Tree) -> Bool {
    // An attribute of another kind than text is no reason to fail: it is then another format's.
    tree.root.attributes[CheckpointLayout.Root.format]?.string == CheckpointLayout.format
  }

  /// The native checkpoint that an HDF5 file holds; no weights are read, and the hash is not
  /// verified.
  ///
  /// - Throws: `CheckpointError`: `.notWeights` if the file does not say that it is one,
  ///   `.newerVersion`, and what is wrong with the file itself.
  package init(_ tree: HDF5Tree) throws(CheckpointError) {
    let reader = try CheckpointReader(tree)
    self = try reader.header()
    tensors = reader.source(of: try reader.entries())
    training = try reader.training(of: tensors)
    quantization = try reader.quantization()
  }

  /// Throws unless the tensors are those that the file was written with; reads them all, one by
  /// one.
  ///
  /// - Throws: `CheckpointError.hashMismatch`, and what is wrong with the file itself.
  public func verify(_ path: String) throws(CheckpointError) {
    guard let storedHash else { return }
    let found = try ContentHash.of(tensors)
    guard found == storedHash else {
      throw .hashMismatch(path: path, expected: storedHash, found: found)
    }
  }
}

extension CheckpointFile {
  /// A checkpoint whose tensors are at hand.
  init(_ checkpoint: Checkpoint) {
    let weights = checkpoint.weights
    let descriptions = weights.map { name, tensor in
      TensorDescription(
        name: name, shape: tensor.shape, elementType: tensor.elementType,
        isNonPersistent: checkpoint.nonPersistent.contains(name))
    }
    self.init(
      tensors: TensorSource(descriptions) { (position) throws(CheckpointError) in
        weights[position].tensor
      },
      architecture: checkpoint.architecture, configuration: checkpoint.configuration,
      graph: checkpoint.graph, picture: checkpoint.picture, card: checkpoint.card,
      createdBy: checkpoint.createdBy, quantization: checkpoint.quantization)
  }
}

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

extension CheckpointFile {
  private typealias Quantization = CheckpointLayout.Quantization

  /// Throws unless a layer's scales are such as a reader takes.
  func requireQuantization(_ path: String) throws(CheckpointError) {
    for layer in quantization {
      try Self.requireValid(layer.node)
      guard (1...Quantization.mostFilters).contains(layer.weightScales.count),
        (layer.weightScales + [layer.inputScale]).allSatisfy(QuantizedLayer.isStep)
      else {
        throw .cannotWrite(
          path: path, reason: "the quantisation: \(layer.node): a step that is none")
      }
    }
  }

  /// Writes the group of the layers' scales, sorted by name.
  func writeQuantization(
    in root: borrowing HDF5Writer.Object, by writer: borrowing HDF5Writer
  ) throws(CheckpointError) {
    guard !quantization.isEmpty else { return }
    let group = try writer.group(CheckpointLayout.Member.quantization, in: root)
    for layer in quantization.sorted(by: { $0.node < $1.node }) {
      let steps: Tensor
      do throws(TensorError) {
        steps = try Tensor(shape: [layer.weightScales.count], layer.weightScales)
      } catch {
        preconditionFailure("a shape of so many elements holds them")
      }
      let dataSet = try writer.tensor(layer.node, steps, in: group)
      let type = layer.isSigned ? Quantization.signed : Quantization.unsigned
      try writer.attribute(Quantization.inputType, type, of: dataSet)
      try writer.attribute(Quantization.inputScale, Double(layer.inputScale), of: dataSet)
    }
  }
}
