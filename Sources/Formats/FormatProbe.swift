import AviaryCheckpoint
public import AviaryContainers
import AviaryFiles

extension FileFormat {
  /// What an HDF5 file says; nil for a file of another kind.
  static func hdf5Tree(_ path: String, _ access: HDF5Access) throws(CheckpointError) -> HDF5Tree? {
    let file = try InputFile(weights: path)
    let head = try file.read(at: 0, count: min(file.byteCount, 8), part: "the beginning")
    return try isHDF5(file, head) ? try HDF5Tree(reading: path, access: access) : nil
  }

  /// How several files together hold weights, which a folder or the beginning of their names stands
  /// for; nil for a single file, and for what holds none.
  static func sniffFiles(_ path: String) -> FileFormat? {
    if TensorFlowFiles.isSavedModel(path) { return .savedModel }
    if KerasArchive.isFolder(path) { return .kerasArchive }
    if TensorFlowFiles.index(of: path) != nil { return .tensorBundle }
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
    for (offset, magic, what) in foreign where head.dropFirst(offset).starts(with: magic) {
      throw .unsupported(path: path, what: "reading \(what)")
    }
    let kind = FileKind(beginning: head)
    switch kind {
    case .xml where head.contains(Array("<net name=".utf8)):
      throw .unsupported(
        path: path, what: "reading an OpenVINO model (the ONNX model that it was made of is read)")
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
    (Array("7767517".utf8), .ncnnParameters),
  ]

  /// What holds weights and is not read, and what is read instead.
  private static let foreign: [(offset: Int, magic: [UInt8], what: String)] = [
    (0, Array("GGUF".utf8), "a GGUF file (its tensors saved as safetensors are read)"),
    (4, Array("TFL3".utf8), "a TensorFlow Lite model (tf2onnx makes an ONNX model of it)"),
    (
      0, Array("MATLAB 5.0 MAT-file".utf8),
      "a MATLAB file (its arrays saved as .npz are read; scipy.io.loadmat gives them)"
    ),
    // The magic number of a list of arrays, and a reserved word.
    (
      0, [0x12, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      "an MXNet .params file (its arrays saved as .npz are read)"
    ),
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

/// A file whose format was detected from its content; keeps what detection read, so nothing is read
/// twice.
public struct ProbedFile: Sendable {
  /// The path as given; of an ncnn network's weights that of its text.
  public let path: String
  /// How it holds weights.
  public let format: FileFormat
  /// What an HDF5 file says; nil for every other file.
  let tree: HDF5Tree?

  /// Tells how the file at `path` holds weights.
  ///
  /// - Parameter hdf5: how an HDF5 file is read.
  /// - Throws: `CheckpointError`: `.cannotRead` if there is no such file or it cannot be read,
  ///   `.notWeights` with what it is instead, `.truncated` or `.damaged` for a broken container,
  ///   `.readerFailed` if the helper program could not read an HDF5 file.
  public init(_ path: String, hdf5: HDF5Access = .isolated) throws(CheckpointError) {
    self.path = path
    if let files = FileFormat.sniffFiles(path) {
      (tree, format) = (nil, files)
    } else if let tree = try FileFormat.hdf5Tree(path, hdf5) {
      self.tree = tree
      format = try FileFormat.kind(of: tree)
    } else {
      tree = nil
      format = try FileFormat.probeAnyOther(path)
    }
  }
}

extension FileFormat {
  /// How the file at `path` holds weights, by its content. Who reads the file next does better to
  /// keep a `ProbedFile`.
  ///
  /// - Throws: as `ProbedFile.init(_:hdf5:)`.
  public static func probe(_ path: String) throws(CheckpointError) -> FileFormat {
    try ProbedFile(path).format
  }
}

/// How a file holds weights, told by its content and never by its name.
public enum FileFormat: String, CaseIterable, Codable, Hashable, Sendable {
  /// The native checkpoint.
  case aviaryCheckpoint
  /// Keras 1 and 2: HDF5 with `layer_names`, weights alone or a whole model.
  case kerasHDF5
  /// Keras 3 `.weights.h5`: HDF5 with `vars` groups.
  case kerasWeightsHDF5
  /// Keras 3 `.keras`: zip with `config.json` and `metadata.json`.
  case kerasArchive
  /// PyTorch 1.6 and later: zip with `data.pkl`.
  case torchZip
  /// PyTorch before 1.6: a row of pickles and raw storages.
  case torchLegacy
  /// PyTorch before 0.1.12: a tar archive.
  case torchTar
  /// TorchScript: zip with `constants.pkl` and `code/`.
  case torchScript
  /// A pickle outside any container.
  case pickle
  /// Zip of NumPy arrays.
  case npz
  /// One NumPy array.
  case npy
  /// A folder of NumPy arrays.
  case numPyFolder
  /// HDF5 of data sets named like a state dict.
  case hdf5StateDict
  /// Hugging Face safetensors.
  case safetensors
  /// ONNX protocol buffer.
  case onnx
  /// ncnn's text of layers.
  case ncnnParameters
  /// JSON index of sharded Keras or safetensors weights.
  case shardIndex
  /// TensorFlow's checkpoint: an index and files of tensors.
  case tensorBundle
  /// The folder of a model saved by TensorFlow.
  case savedModel

  /// What the file is, with its article, as it stands in messages.
  public var label: String {
    switch self {
    case .aviaryCheckpoint: "an Aviary checkpoint"
    case .kerasHDF5: "a Keras HDF5 file"
    case .kerasWeightsHDF5: "a Keras 3 .weights.h5 file"
    case .kerasArchive: "a Keras 3 .keras archive"
    case .torchZip: "a PyTorch file"
    case .torchLegacy: "a PyTorch file of the format before 1.6"
    case .torchTar: "a PyTorch tar archive of before 2017"
    case .torchScript: "a TorchScript archive"
    case .pickle: "a bare Python pickle"
    case .npz: "a NumPy .npz archive"
    case .npy: "a NumPy .npy array"
    case .numPyFolder: "a folder of NumPy arrays"
    case .tensorBundle: "a TensorFlow checkpoint"
    case .savedModel: "a TensorFlow SavedModel"
    case .hdf5StateDict: "an HDF5 file of named data sets"
    case .safetensors: "a safetensors file"
    case .onnx: "an ONNX model"
    case .ncnnParameters: "an ncnn .param file"
    case .shardIndex: "an index of sharded weights"
    }
  }

  /// The format's name, as it stands in a card's provenance.
  public var name: String {
    switch self {
    case .aviaryCheckpoint: "Aviary checkpoint"
    case .torchZip: "PyTorch zip"
    case .torchLegacy: "PyTorch legacy"
    case .torchTar: "PyTorch tar"
    case .torchScript: "TorchScript"
    case .kerasHDF5: "Keras HDF5"
    case .kerasWeightsHDF5: "Keras 3 HDF5"
    case .kerasArchive: "Keras 3 archive"
    case .onnx: "ONNX"
    case .numPyFolder: "folder of NumPy arrays"
    case .tensorBundle: "TensorFlow checkpoint"
    case .savedModel: "TensorFlow SavedModel"
    case .hdf5StateDict: "HDF5 state dict"
    case .ncnnParameters: "ncnn"
    default: rawValue
    }
  }
}

/// A kind of file that weights are written to.
public enum TargetFormat: String, CaseIterable, Codable, Hashable, Sendable {
  /// Our own: HDF5.
  case aviary
  /// Keras 3's archive, a whole model.
  case keras
  /// Keras 3's weights alone.
  case kerasWeights = "keras-weights"
  /// Keras's HDF5 of versions 1 and 2, a whole model.
  case kerasHDF5 = "keras-h5"
  /// PyTorch's zip archive of a state dict.
  case pytorch
  case safetensors
  /// ONNX, a whole model.
  case onnx
  /// ncnn, a whole model in two files: the text of its layers, and beside it their weights.
  case ncnn

  /// What a file's name asks for; nil for names that say nothing. A plain `.h5` is ours.
  public init?(path: String) {
    let name = path.lowercased()
    let formats: [(String, TargetFormat)] = [
      (".weights.h5", .kerasWeights), (".h5", .aviary), (".hdf5", .aviary), (".keras", .keras),
      (".pt", .pytorch), (".pth", .pytorch), (".safetensors", .safetensors), (".onnx", .onnx),
      (".param", .ncnn),
    ]
    guard let format = formats.first(where: { name.hasSuffix($0.0) }) else { return nil }
    self = format.1
  }

  /// The files that are written for a path: that one first.
  public func files(_ path: String) -> [String] {
    self == .ncnn ? [path, NCNNFile.weightsPath(of: path)] : [path]
  }
}
