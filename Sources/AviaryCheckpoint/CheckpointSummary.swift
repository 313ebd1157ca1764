package import AviaryContainers
public import AviaryTensor

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
  /// How the network takes and gives pictures, as JSON.
  public let picture: String?
  /// Licence, provenance, quality.
  public let card: Card
  /// The program and version that wrote the file.
  public let createdBy: String
  /// The content hash as stored: not verified.
  public let storedHash: String
  /// The tensors in the model's order.
  public let tensors: [Entry]
  /// The scales of the convolutions that can compute in whole numbers, by name.
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
    /// Whether the tensor is non-persistent buffer, outside the content hash.
    public let isBookkeeping: Bool
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
