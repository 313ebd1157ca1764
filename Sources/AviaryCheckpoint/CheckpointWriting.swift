public import AviaryContainers
public import AviaryTensor
import FoundationEssentials

/// The names that make up the native format, for reader and writer alike.
enum CheckpointLayout {
  /// The value of the root attribute `format`.
  static let format = "aviary-checkpoint"

  /// Attributes of the root group.
  enum Root {
    static let format = "format"
    static let version = "format_version"
    static let architecture = "architecture"
    static let contentHash = "content_hash"
    static let createdBy = "created_by"
  }

  /// Members of the root group.
  enum Member {
    static let configuration = "configuration"
    static let graph = "graph"
    static let picture = "picture"
    static let card = "card"
    static let weights = "weights"
    static let training = "training"
    static let quantization = "quantization"
  }

  /// Attributes of the data sets in `/quantization`, and what is allowed of them.
  enum Quantization {
    /// Of what the input is made: `int8`, or `uint8` where it is never negative.
    static let inputType = "input_type"
    static let signed = "int8"
    static let unsigned = "uint8"
    /// What one step of the input is worth.
    static let inputScale = "input_step"
    /// More output channels than any convolution has.
    static let mostFilters = 1 << 20
  }

  /// Attributes and members of `/training`, and of the adversary in it.
  enum Training {
    static let progress = "progress"
    static let weights = "weights"
    static let adversary = "adversary"
    static let algorithm = "algorithm"
    static let step = "step"
    static let groups = "groups"
    static let optimizer = "optimizer"
  }

  /// Attributes of a tensor's data set.
  enum Attribute {
    /// The element type where HDF5 has none: `bfloat16` of uint16.
    static let elementType = "dtype"
    /// The tensor's place in the model's order, from 0; HDF5 itself lists by name.
    static let position = "position"
    /// `bookkeeping` for tensors outside the content hash, non-persistent buffers; absent
    /// otherwise.
    static let role = "role"
    static let nonPersistent = "bookkeeping"
  }
}

extension Checkpoint {
  /// Writes the checkpoint, replacing what is there in one step: whoever reads the path sees the
  /// old file or the new one, whole, whatever happens meanwhile.
  ///
  /// The same checkpoint always gives the same bytes.
  ///
  /// - Throws: `CheckpointError`: `.invalidName` or `.elementType` for a tensor that the format
  ///   cannot hold, `.cannotWrite` if the folder is absent or not writable or the disk is full.
  public func write(to path: String) throws(CheckpointError) {
    _ = try CheckpointFile(self).write(to: path)
  }

  /// The element types that the native format holds.
  public static let elementTypes: Set<ElementType> = [.float32, .float16, .bfloat16, .int8, .int64]
}

extension CheckpointFile {
  /// Writes the checkpoint as `Checkpoint.write(to:)` does, holding one tensor at a time.
  ///
  /// - Returns: the content hash, computed on the way.
  /// - Throws: as `Checkpoint.write(to:)`, and what reading the tensors throws.
  @discardableResult
  public func write(to path: String) throws(CheckpointError) -> String {
    for tensor in tensors.descriptions + (training?.tensors ?? []) {
      try Self.requireValid(tensor.name)
      guard Checkpoint.elementTypes.contains(tensor.elementType) else {
        throw .elementType(name: tensor.name, found: tensor.elementType.rawValue)
      }
    }
    try requireQuantization(path)
    let card = try cardJSON(path)
    let texts = try training.map { (state) throws(CheckpointError) in
      try TrainingTexts(state, path)
    }
    let writer = try HDF5Writer(replacing: path)
    let root = try writer.root()
    typealias Root = CheckpointLayout.Root
    try writer.attribute(Root.format, CheckpointLayout.format, of: root)
    try writer.attribute(Root.version, CheckpointVersion.current.rawValue, of: root)
    if let architecture { try writer.attribute(Root.architecture, architecture, of: root) }
    try writer.attribute(Root.createdBy, createdBy, of: root)
    typealias Member = CheckpointLayout.Member
    if let configuration { try writer.text(Member.configuration, configuration, in: root) }
    if let graph { try writer.text(Member.graph, graph, in: root) }
    if let picture { try writer.text(Member.picture, picture, in: root) }
    try writer.text(Member.card, card, in: root)
    let hash = try write(tensors, in: try writer.group(Member.weights, in: root), by: writer)
    try writer.attribute(Root.contentHash, hash, of: root)
    try writeQuantization(in: root, by: writer)
    if let training, let texts { try write(training, texts, in: root, by: writer) }
    try writer.commit()
    return hash
  }

  /// Writes tensors in the order of hashing, so that each is read once.
  ///
  /// - Returns: their content hash.
  func write(
    _ tensors: TensorSource, in group: borrowing HDF5Writer.Object, by writer: borrowing HDF5Writer
  ) throws(CheckpointError) -> String {
    let positions = Dictionary(uniqueKeysWithValues: tensors.names.enumerated().map { ($1, $0) })
    var hash = ContentHash()
    for name in ContentHash.sorted(tensors.names) {
      guard let position = positions[name] else { continue }
      let (described, tensor) = (tensors[position], try tensors.tensor(at: position))
      let dataSet = try writer.tensor(name, tensor, in: group)
      typealias Attribute = CheckpointLayout.Attribute
      try writer.attribute(Attribute.position, position, of: dataSet)
      if tensor.elementType == .bfloat16 {
        try writer.attribute(Attribute.elementType, "bfloat16", of: dataSet)
      }
      if described.isNonPersistent {
        try writer.attribute(Attribute.role, Attribute.nonPersistent, of: dataSet)
      } else {
        hash.add(name, tensor)
      }
    }
    return hash.text
  }

  private func cardJSON(_ path: String) throws(CheckpointError) -> String {
    try Self.json(card, "the card: a quality", path)
  }

  /// A part as JSON.
  ///
  /// - Parameter number: what of it may be a number, for the message.
  static func json(
    _ part: some Encodable, _ number: String, _ path: String
  ) throws(CheckpointError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(part), as: UTF8.self)
    } catch {
      // JSON has no infinity and no NaN.
      throw .cannotWrite(path: path, reason: "\(number) that is no finite number")
    }
  }

  /// Throws unless the name is one that can be a link of HDF5 and a path in a state dict.
  static func requireValid(_ name: String) throws(CheckpointError) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isValid = parts.allSatisfy { !$0.isEmpty } && !name.contains("/") && !name.contains("\0")
    guard isValid else { throw .invalidName(name) }
  }
}

extension TensorSource {
  /// The same tensors in element types that the native format holds: float64 becomes the nearest
  /// float32, further integers and bool become int64. The descriptions say so.
  public var storable: TensorSource {
    let converted = try? changed { tensor in
      let type = tensor.elementType
      guard !Checkpoint.elementTypes.contains(type) else { return [] }
      return [.converted(from: type, to: type.isFloatingPoint ? .float32 : .int64)]
    }
    guard let converted else {
      preconditionFailure("a change of type alone, which every shape allows")
    }
    return converted
  }
}
