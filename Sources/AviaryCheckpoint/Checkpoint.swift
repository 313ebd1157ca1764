package import AviaryContainers

/// A trained network: its weights and everything needed to run them, as Aviary's own file holds it
/// (Docs/CheckpointFormat.md).
///
/// Configuration, graph and picture are kept as the JSON texts they are stored as; the layers above
/// give them types.
public struct Checkpoint: Sendable {
  /// The architecture's name in the registry; nil for weights that nothing recognised.
  public var architecture: String?
  /// The architecture's configuration, as JSON.
  public var configuration: String?
  /// The network itself, as JSON, so that the file runs where its architecture is not registered.
  public var graph: String?
  /// How the network takes and gives pictures, as JSON.
  public var picture: String?
  /// Licence, provenance, quality.
  public var card: Card
  /// The parameters under canonical names in PyTorch's layout (convolutions OIHW, transposed
  /// convolutions IOHW), in the model's order.
  public var weights: NamedTensors
  /// The names of tensors that are non-persistent buffer (`num_batches_tracked`): outside the content hash.
  public var nonPersistent: Set<String>
  /// The scales of the convolutions that can compute in whole numbers; outside the content hash.
  public var quantization: [QuantizedLayer]
  /// The program and version that wrote the file, such as `aviary 0.1`.
  public var createdBy: String
  /// The content hash that the file states; nil for a checkpoint that comes from no file.
  public internal(set) var storedHash: String?

  /// A checkpoint of the given weights.
  public init(
    weights: NamedTensors, architecture: String? = nil, configuration: String? = nil,
    graph: String? = nil, picture: String? = nil, card: Card = Card(),
    nonPersistent: Set<String> = [], createdBy: String = "aviary",
    quantization: [QuantizedLayer] = []
  ) {
    self.weights = weights
    self.architecture = architecture
    self.configuration = configuration
    self.graph = graph
    self.picture = picture
    self.card = card
    self.nonPersistent = nonPersistent
    self.createdBy = createdBy
    self.quantization = quantization
  }

  /// The content hash of the weights as they are, non-persistent buffer excluded.
  public var contentHash: String { ContentHash.of(weights, excluding: nonPersistent) }

  /// Reads the native checkpoint that an HDF5 file holds.
  ///
  /// - Parameter verify: whether the content hash is computed and compared with the stored one.
  /// - Throws: `CheckpointError`: `.hashMismatch` if the tensors are not those that were written, and
  ///   as `CheckpointFile.init(_:)`.
  package init(contentsOf tree: HDF5Tree, verify: Bool) throws(CheckpointError) {
    let content = try CheckpointFile(tree)
    self.init(
      weights: try content.tensors.loaded(), architecture: content.architecture,
      configuration: content.configuration, graph: content.graph, picture: content.picture,
      card: content.card,
      nonPersistent: Set(content.tensors.filter(\.isBookkeeping).map(\.name)),
      createdBy: content.createdBy, quantization: content.quantization)
    storedHash = content.storedHash
    guard verify, let storedHash else { return }
    let found = contentHash
    guard found == storedHash else {
      throw .hashMismatch(path: tree.path, expected: storedHash, found: found)
    }
  }
}
