import AviaryFiles
public import AviaryTensor
import FoundationEssentials

extension Checkpoint {
  /// Writes the checkpoint, replacing what is there in one step: whoever reads the path sees the
  /// old file or the new one, whole, whatever happens meanwhile.
  ///
  /// The same checkpoint always gives the same bytes.
  ///
  /// - Throws: `CheckpointError`: `.invalidName` or `.elementType` for a tensor that the format
  ///   cannot hold, `.cannotWrite` if the folder is absent or not writable or the disk is full.
  public func write(to path: String) throws(CheckpointError) {
    for (name, tensor) in weights {
      try Checkpoint.requireValid(name)
      guard Checkpoint.elementTypes.contains(tensor.elementType) else {
        throw .elementType(name: name, found: tensor.elementType.rawValue)
      }
    }
    // The file comes first, so that a folder that cannot be written costs no work.
    let file: AtomicFile
    do {
      file = try AtomicFile(replacing: path)
    } catch {
      throw CheckpointError(error)
    }
    let image: [UInt8]
    do {
      image = try self.image(for: path)
    } catch .damaged(_, let part, let reason) {
      throw .cannotWrite(path: path, reason: "\(part): \(reason)")
    }
    do {
      try file.write(image)
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }

  /// The element types that the native format holds.
  public static let elementTypes: Set<ElementType> = [.float32, .float16, .bfloat16, .int8, .int64]

  private func image(for path: String) throws(CheckpointError) -> [UInt8] {
    let writer = try HDF5Writer(for: path)
    let root = try writer.root()
    typealias Root = CheckpointLayout.Root
    try writer.attribute(Root.format, CheckpointLayout.format, of: root)
    try writer.attribute(Root.version, CheckpointVersion.current.rawValue, of: root)
    if let architecture { try writer.attribute(Root.architecture, architecture, of: root) }
    try writer.attribute(Root.contentHash, contentHash, of: root)
    try writer.attribute(Root.createdBy, createdBy, of: root)
    typealias Member = CheckpointLayout.Member
    if let configuration { try writer.text(Member.configuration, configuration, in: root) }
    if let graph { try writer.text(Member.graph, graph, in: root) }
    if let picture { try writer.text(Member.picture, picture, in: root) }
    try writer.text(Member.card, try cardJSON(path), in: root)
    let group = try writer.group(Member.weights, in: root)
    for (position, (name, tensor)) in weights.enumerated() {
      let dataSet = try writer.tensor(name, tensor, in: group)
      typealias Attribute = CheckpointLayout.Attribute
      try writer.attribute(Attribute.position, position, of: dataSet)
      if tensor.elementType == .bfloat16 {
        try writer.attribute(Attribute.elementType, "bfloat16", of: dataSet)
      }
      if bookkeeping.contains(name) {
        try writer.attribute(Attribute.role, Attribute.bookkeeping, of: dataSet)
      }
    }
    return try writer.image()
  }

  private func cardJSON(_ path: String) throws(CheckpointError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(card), as: UTF8.self)
    } catch {
      // JSON has no infinity and no NaN.
      throw .cannotWrite(path: path, reason: "the card: a quality that is no finite number")
    }
  }

  /// Throws unless the name is one that can be a link of HDF5 and a path in a state dict.
  private static func requireValid(_ name: String) throws(CheckpointError) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isValid = parts.allSatisfy { !$0.isEmpty } && !name.contains("/") && !name.contains("\0")
    guard isValid else { throw .invalidName(name) }
  }
}
