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
  /// The names of tensors that are bookkeeping (`num_batches_tracked`): outside the content hash.
  public var bookkeeping: Set<String>
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
    bookkeeping: Set<String> = [], createdBy: String = "aviary",
    quantization: [QuantizedLayer] = []
  ) {
    self.weights = weights
    self.architecture = architecture
    self.configuration = configuration
    self.graph = graph
    self.picture = picture
    self.card = card
    self.bookkeeping = bookkeeping
    self.createdBy = createdBy
    self.quantization = quantization
  }

  /// The content hash of the weights as they are, bookkeeping excluded.
  public var contentHash: String { ContentHash.of(weights, excluding: bookkeeping) }

  /// Reads a native checkpoint.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - verify: whether the content hash is computed and compared with the stored one.
  ///   - hdf5: who reads the file.
  /// - Throws: `CheckpointError`: `.notWeights` if the file is something else, `.hashMismatch` if
  ///   the tensors are not those that were written, `.newerVersion`, `.readerFailed` if the helper
  ///   program could not read it, and what is wrong with the file itself.
  public init(
    contentsOf path: String, verify: Bool = true, hdf5: HDF5Access = .isolated
  ) throws(CheckpointError) {
    try self.init(contentsOf: try SniffedFile(path, hdf5: hdf5), verify: verify)
  }

  /// Reads a native checkpoint that was told already.
  ///
  /// - Throws: as `init(contentsOf:verify:hdf5:)`.
  public init(contentsOf file: SniffedFile, verify: Bool = true) throws(CheckpointError) {
    let content = try CheckpointFile(file)
    self.init(
      weights: try content.tensors.loaded(), architecture: content.architecture,
      configuration: content.configuration, graph: content.graph, picture: content.picture,
      card: content.card,
      bookkeeping: Set(content.tensors.filter(\.isBookkeeping).map(\.name)),
      createdBy: content.createdBy, quantization: content.quantization)
    storedHash = content.storedHash
    guard verify, let storedHash else { return }
    let found = contentHash
    guard found == storedHash else {
      throw .hashMismatch(path: file.path, expected: storedHash, found: found)
    }
  }
}
