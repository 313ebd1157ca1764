package import AviaryContainers
public import AviaryTensor

/// A trained network: its weights and everything needed to run them, as Aviary's own file holds it
/// (Docs/CheckpointFormat.md).
///
/// Configuration, graph and image are kept as the JSON texts they are stored as; the layers above
/// give them types.
public struct Checkpoint: Sendable {
  /// The architecture's name in the registry; nil for weights that nothing recognised.
  public var architecture: String?
  /// The architecture's configuration, as JSON.
  public var configuration: String?
  /// The network itself, as JSON, so that the file runs where its architecture is not registered.
  public var graph: String?
  /// How the network takes and gives images, as JSON.
  public var picture: String?
  /// Licence, provenance, quality.
  public var card: Card
  /// The parameters under canonical names in PyTorch's layout (convolutions OIHW, transposed
  /// convolutions IOHW), in the model's order.
  public var weights: NamedTensors
  /// The names of tensors of non-persistent buffers (`num_batches_tracked`): outside the content
  /// hash.
  public var nonPersistent: Set<String>
  /// The scales of the convolutions that can compute in int8; outside the content hash.
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

  /// The content hash of the weights as they are, non-persistent buffers excluded.
  public var contentHash: String { ContentHash.of(weights, excluding: nonPersistent) }

  /// Reads the native checkpoint that an HDF5 file holds.
  ///
  /// - Parameter verify: whether the content hash is computed and compared with the stored one.
  /// - Throws: `CheckpointError`: `.hashMismatch` if the tensors are not those that were written,
  ///   and as `CheckpointFile.init(_:)`.
  package init(contentsOf tree: HDF5Tree, verify: Bool) throws(CheckpointError) {
    let content = try CheckpointFile(tree)
    self.init(
      weights: try content.tensors.loaded(), architecture: content.architecture,
      configuration: content.configuration, graph: content.graph, picture: content.picture,
      card: content.card,
      nonPersistent: Set(content.tensors.filter(\.isNonPersistent).map(\.name)),
      createdBy: content.createdBy, quantization: content.quantization)
    storedHash = content.storedHash
    guard verify, let storedHash else { return }
    let found = contentHash
    guard found == storedHash else {
      throw .hashMismatch(path: tree.path, expected: storedHash, found: found)
    }
  }
}

/// What a native checkpoint says about itself, read without reading a single weight.
public struct CheckpointSummary: Sendable {
  /// The version of the file's format.
  public let formatVersion: Int
  /// The architecture's name; nil for weights that nothing recognised.
  public let architecture: String?
  /// The architecture's configuration, as JSON.
  public let configuration: String?
  /// The network, as JSON.
  public let graph: String?
  /// How the network takes and gives images, as JSON.
  public let picture: String?
  /// Licence, provenance, quality.
  public let card: Card
  /// The program and version that wrote the file.
  public let createdBy: String
  /// The content hash as stored: not verified.
  public let storedHash: String
  /// The tensors in the model's order.
  public let tensors: [Entry]
  /// The scales of the convolutions that can compute in int8, by name.
  public let quantization: [QuantizedLayer]

  /// A tensor's description.
  public struct Entry: Hashable, Sendable {
    /// The name, as in a state dict.
    public let name: String
    /// The dimensions.
    public let shape: [Int]
    /// What the elements are.
    public let elementType: ElementType
    /// Where the elements begin in the file, in bytes; nil if they do not lie in one piece.
    public let offset: Int?
    /// The bytes that the elements take in the file.
    public let byteCount: Int
    /// Whether the tensor is a non-persistent buffer, outside the content hash.
    public let isNonPersistent: Bool
  }

  /// The description of the native checkpoint that an HDF5 file holds; its hash is not verified.
  ///
  /// - Throws: as `CheckpointFile.init(_:)`.
  package init(of tree: HDF5Tree) throws(CheckpointError) {
    let reader = try CheckpointReader(tree)
    let header = try reader.header()
    formatVersion = reader.version.rawValue
    architecture = header.architecture
    configuration = header.configuration
    graph = header.graph
    picture = header.picture
    card = header.card
    createdBy = header.createdBy
    storedHash = header.storedHash ?? ""
    tensors = try reader.entries().map(\.summary)
    quantization = try reader.quantization()
  }
}

/// The versions of the native format. Version 1 is described in Docs/CheckpointFormat.md.
///
/// A reader switches over all cases, so that a new version does not compile before it is said how
/// each older one becomes it. A fixture of every version stays in the tests for ever.
enum CheckpointVersion: Int, CaseIterable {
  case one = 1

  /// What this version of Aviary writes.
  static let current = CheckpointVersion.one
}
