extension FileFormat {
  /// What the file at `path` is, by its content.
  ///
  /// - Throws: `CheckpointError.cannotRead` if there is no such file or it cannot be read.
  public static func sniff(_ path: String) throws(CheckpointError) -> FileFormat {
    let file = try InputFile(path)
    if file.byteCount == 0 { return .empty }
    let head = try file.read(at: 0, count: min(file.byteCount, 4096), part: "the beginning")
    if try isHDF5(file, head) { return try kindOfHDF5(path) }
    if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return try kindOfZip(file) }
    return kind(of: head, byteCount: file.byteCount)
  }

  /// What a file that is neither HDF5 nor zip is.
  private static func kind(of head: [UInt8], byteCount: Int) -> FileFormat {
    for (magic, format) in magics where head.starts(with: magic) { return format }
    if head.count > 262, head[257..<262].elementsEqual("ustar".utf8) { return .torchTar }
    if isSafetensors(head, byteCount) { return .safetensors }
    if let format = kindOfText(head) { return format }
    // Protocol 2 to 5 of pickle; then ONNX, a protocol buffer whose first field is the version of
    // its representation, a small number, followed by the producer's name or the graph.
    if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) { return .pickle }
    if head.count > 3, head[0] == 0x08, (1...32).contains(head[1]),
      [0x12, 0x1A, 0x3A, 0x42].contains(head[2])
    {
      return .onnx
    }
    return .unknown
  }

  private static let magics: [(magic: [UInt8], format: FileFormat)] = [
    // The pickle of the number 0x1950a86a20f9469cfc6c.
    (
      [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19],
      .torchLegacy
    ),
    ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
    ([0xFF, 0xD8, 0xFF], .jpeg),
    ([0x93] + Array("NUMPY".utf8), .npy),
    (Array("GGUF".utf8), .gguf),
    (Array("7767517".utf8), .ncnnParameters),
    (Array("version https://git-lfs".utf8), .gitLFSPointer),
    ([0x1F, 0x8B], .gzip),
    ([0x7F] + Array("ELF".utf8), .elf),
  ]

  /// HDF5 begins at 0, or after a foreign block at 512, 1024, 2048, …
  private static func isHDF5(
    _ file: borrowing InputFile, _ head: [UInt8]
  ) throws(CheckpointError) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    if head.starts(with: signature) { return true }
    var offset = 512
    while offset <= file.byteCount - signature.count {
      let bytes = try file.read(at: offset, count: signature.count, part: "the beginning")
      if bytes == signature { return true }
      offset *= 2
    }
    return false
  }

  private static func kindOfHDF5(_ path: String) throws(CheckpointError) -> FileFormat {
    let root = try HDF5File(reading: path).root()
    // An attribute of another kind than text is no reason to fail: it is then another format's.
    let format = try? root.attribute(CheckpointLayout.Root.format)
    if format?.string == CheckpointLayout.format { return .aviaryCheckpoint }
    // Names too long for one attribute are split into layer_names0, layer_names1, …
    for name in ["layer_names", "layer_names0"] where try root.hasAttribute(name) {
      return .kerasHDF5
    }
    if try root.contains("model_weights") { return .kerasHDF5 }
    for member in ["layers", "_layer_checkpoint_dependencies", "vars"]
    where try root.contains(member) {
      return .kerasWeightsHDF5
    }
    return .hdf5
  }

  private static func kindOfZip(_ file: borrowing InputFile) throws(CheckpointError) -> FileFormat {
    let names: [String]
    do {
      names = try ZipArchive(file).entries.map(\.name)
    } catch {
      // A truncated PyTorch file: its reader can say more.
      if try TorchZip.pickle(atStartOf: file) != nil { return .torchZip }
      throw error
    }
    if names.contains(where: { $0.hasSuffix("/constants.pkl") }) { return .torchScript }
    if names.contains(where: { $0.hasSuffix("/data.pkl") }) { return .torchZip }
    if names.contains("config.json"), names.contains("metadata.json") { return .kerasArchive }
    if names.contains(where: { $0.hasSuffix(".npy") }) { return .npz }
    return .zip
  }

  private static func isSafetensors(_ head: [UInt8], _ byteCount: Int) -> Bool {
    guard head.count > 9, head[8] == UInt8(ascii: "{") else { return false }
    let length = head[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length <= UInt64(byteCount - 8)
  }

  private static func kindOfText(_ head: [UInt8]) -> FileFormat? {
    let isText = head.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    guard isText else { return nil }
    let text = String(decoding: head, as: UTF8.self).lowercased()
    let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if start.hasPrefix("<!doctype") || start.hasPrefix("<html") { return .webPage }
    if start.hasPrefix("{") { return text.contains("\"weight_map\"") ? .shardIndex : .json }
    return .text
  }
}
