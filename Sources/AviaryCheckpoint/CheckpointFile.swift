public import AviaryContainers
import AviaryTensor

/// A native checkpoint whose tensors are described now and read when asked for: what `Checkpoint` is
/// for networks larger than the memory.
public struct CheckpointFile: Sendable {
  /// The architecture's name in the registry; nil for weights that nothing recognised.
  public var architecture: String?
  /// The architecture's configuration, as JSON.
  public var configuration: String?
  /// The network itself, as JSON.
  public var graph: String?
  /// How the network takes and gives pictures, as JSON.
  public var picture: String?
  /// Licence, provenance, quality.
  public var card: Card
  /// The program and version that wrote the file.
  public var createdBy: String
  /// The parameters under canonical names in PyTorch's layout, in the model's order, non-persistent buffer
  /// told by their descriptions.
  public var tensors: TensorSource
  /// What an unfinished training needs to go on, outside the content hash.
  public var training: TrainingState?
  /// The scales of the convolutions that can compute in whole numbers, outside the content hash; empty
  /// for a network that was not calibrated for it.
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

  /// The native checkpoint that an HDF5 file holds; no weights are read, and the hash is not verified.
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

  /// Throws unless the tensors are those that the file was written with; reads them all, one by one.
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
        isBookkeeping: checkpoint.nonPersistent.contains(name))
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
