import AviaryCheckpoint
import AviaryContainers
import AviaryFiles

extension FileFormat {
  /// What an HDF5 file says; nil for a file of another kind.
  static func hdf5Tree(_ path: String, _ access: HDF5Access) throws(CheckpointError) -> HDF5Tree? {
    let file = try InputFile(weights: path)
    let head = try file.read(at: 0, count: min(file.byteCount, 8), part: "the beginning")
    return try isHDF5(file, head) ? try HDF5Tree(reading: path, access: access) : nil
  }

  /// What a folder of another kind is; nil for one that may hold weights, and for what is no folder.
  static func foreignFolder(_ path: String) -> String? {
    guard (try? InputFile("\(path)/saved_model.pb")) != nil else { return nil }
    return "a TensorFlow SavedModel (saved as .keras or .weights.h5 it can be read)"
  }

  /// How a folder holds weights; nil for one that holds none, and for what is no folder.
  static func sniffFolder(_ path: String) -> FileFormat? {
    if KerasArchive.isFolder(path) { return .kerasArchive }
    return NumPyFile.isFolder(path) ? .numPyFolder : nil
  }

  /// How a file that is not HDF5 holds weights.
  static func probeAnyOther(_ path: String) throws(CheckpointError) -> FileFormat {
    let file = try InputFile(weights: path)
    let head = try file.read(at: 0, count: min(file.byteCount, 4096), part: "the beginning")
    if let format = format(of: head, file.byteCount) { return format }
    if NCNNFile.parametersPath(beside: path) != nil { return .ncnnParameters }
    for (magic, found) in halves where head.starts(with: magic) {
      throw .notWeights(path: path, found: found)
    }
    let kind = FileKind(beginning: head)
    switch kind {
    case .zip: return try kindOfZip(file)
    case .json where head.contains(Array("\"weight_map\"".utf8)): return .shardIndex
    case .hdf5:
      let reason = "no more than the first 4 bytes are HDF5's"
      throw .damaged(path: path, part: "the signature", reason: reason)
    default: throw .notWeights(path: path, found: kind.label)
    }
  }

  /// What begins unlike any other file; HDF5, zip and JSON are looked into.
  private static func format(of head: [UInt8], _ byteCount: Int) -> FileFormat? {
    for (magic, format) in magics where head.starts(with: magic) { return format }
    if head.count > 262, head[257..<262].elementsEqual("ustar".utf8) { return .torchTar }
    if isSafetensors(head, byteCount) { return .safetensors }
    // Protocol 2 to 5 of pickle; then ONNX, a protocol buffer whose first field is the version of
    // its representation, a small number, followed by the producer's name or the graph.
    if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) { return .pickle }
    if head.count > 3, head[0] == 0x08, (1...32).contains(head[1]),
      [0x12, 0x1A, 0x3A, 0x42].contains(head[2])
    {
      return .onnx
    }
    return nil
  }

  private static let magics: [(magic: [UInt8], format: FileFormat)] = [
    // The pickle of the number 0x1950a86a20f9469cfc6c.
    (
      [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19],
      .torchLegacy
    ),
    ([0x93] + Array("NUMPY".utf8), .npy),
    (Array("GGUF".utf8), .gguf),
    (Array("7767517".utf8), .ncnnParameters),
  ]

  /// What belongs to a file of weights and is none by itself.
  private static let halves: [(magic: [UInt8], found: String)] = [
    // The mark of float16 before the first kernel.
    ([0x47, 0x6B, 0x30, 0x01], "the weights of an ncnn network (give its .param file)"),
    // The magic number of the text, as a number.
    ([0xDD, 0x85, 0x76, 0x00], "an ncnn network without names (give its .param file)"),
  ]

  /// HDF5 begins at 0, or after a foreign block at 512, 1024, 2048, …
  private static func isHDF5(
    _ file: borrowing InputFile, _ head: [UInt8]
  ) throws(CheckpointError) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    if head.starts(with: signature) { return true }
    // What begins like a zip archive may hold an HDF5 file, stored, at just such a place.
    if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return false }
    var offset = 512
    while offset <= file.byteCount - signature.count {
      let bytes = try file.read(at: offset, count: signature.count, part: "the beginning")
      if bytes == signature { return true }
      offset *= 2
    }
    return false
  }

  /// How an HDF5 file holds weights.
  static func kind(of tree: HDF5Tree) throws(CheckpointError) -> FileFormat {
    let root = tree.root
    if CheckpointFile.isCheckpoint(tree) { return .aviaryCheckpoint }
    // Names too long for one attribute are split into layer_names0, layer_names1, …
    for name in ["layer_names", "layer_names0"] where root.attributes[name] != nil {
      return .kerasHDF5
    }
    if root["model_weights"] != nil { return .kerasHDF5 }
    for member in ["layers", "_layer_checkpoint_dependencies", "vars"] where root[member] != nil {
      return .kerasWeightsHDF5
    }
    if KerasWeightsHDF5.recognises(root) { return .kerasWeightsHDF5 }
    if HDF5StateDict.matches(tree) { return .hdf5StateDict }
    let names = root.members.prefix(8).map(\.name).joined(separator: ", ")
    let top = names.isEmpty ? "" : " (at the top: \(names))"
    throw .notWeights(path: tree.path, found: "\(FileKind.hdf5.label) of an unknown kind\(top)")
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
    throw .notWeights(path: file.path, found: "\(FileKind.zip.label) of an unknown kind")
  }

  private static func isSafetensors(_ head: [UInt8], _ byteCount: Int) -> Bool {
    guard head.count > 9, head[8] == UInt8(ascii: "{") else { return false }
    let length = head[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // A download that broke off within the header is recognised by the first name's quote.
    return length <= UInt64(byteCount - 8)
      || length <= UInt64(SafeTensorsHeader.limit) && head[9] == UInt8(ascii: "\"")
  }
}
