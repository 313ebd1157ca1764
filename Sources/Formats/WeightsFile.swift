public import AviaryCheckpoint
public import AviaryContainers
import AviaryFiles
import Crypto

/// A third-party weights file: what it is, what is in it, and its tensors, described now and read
/// when asked for.
public struct WeightsFile: Sendable {
  /// The path as given.
  public var path: String
  /// What the file is.
  public var format: FileFormat
  /// The tensors, in PyTorch's layout wherever the file's is known.
  public var tensors: TensorSource
  /// How they were found in the file.
  public var unwrapping: Unwrapping
  /// What wrote the file, as far as it says.
  public var origin: Origin
  /// The layers that the tensors belong to, where the file tells them apart by class (Keras); empty
  /// otherwise.
  public var layers: [ExternalLayer]
  /// The network that the file holds beside its weights; nil where it holds weights only.
  package var network: ExternalNetwork?
  /// Our own record that an export left in the file, as JSON: to be believed only where it agrees
  /// with the tensors.
  package var record: String?
  /// What the optimiser that trained the weights remembers; nil where the file does not have it, or
  /// where it is not one of these tensors, which `unwrapping.ignored` says.
  public var optimizer: OptimizerState?

  /// Weights of a file.
  package init(
    path: String, format: FileFormat, tensors: TensorSource, unwrapping: Unwrapping = Unwrapping(),
    origin: Origin, layers: [ExternalLayer] = [], network: ExternalNetwork? = nil,
    record: String? = nil, optimizer: OptimizerState? = nil
  ) {
    self.path = path
    self.format = format
    self.tensors = tensors
    self.unwrapping = unwrapping
    self.origin = origin
    self.layers = layers
    self.network = network
    self.record = record
    self.optimizer = optimizer
  }

  /// Reads what is in a file of another framework's; nothing in the file is ever run, and no
  /// elements are read.
  ///
  /// - Parameter options: what the user states of the file.
  /// - Throws: `CheckpointError`: `.notWeights` for what holds no weights (a native checkpoint
  ///   included: `Checkpoint` reads that), `.unsupported` for formats that are known and not read,
  ///   and what is wrong with the file itself.
  public static func read(
    _ path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> WeightsFile {
    try read(ProbedFile(path, hdf5: options.hdf5), options)
  }

  /// Reads a third-party weights file whose format has already been detected.
  ///
  /// - Throws: as `read(_:_:)` of a path.
  public static func read(
    _ file: ProbedFile, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> WeightsFile {
    let (path, format, part) = (file.path, file.format, options.part)
    if let part, ![.torchZip, .torchLegacy, .torchScript, .torchTar, .pickle].contains(format) {
      throw .noPart(path: path, name: part, known: [])
    }
    if let tree = file.tree {
      switch format {
      case .kerasHDF5: return try KerasHDF5.read(tree, options)
      case .kerasWeightsHDF5: return try KerasWeightsHDF5.read(tree, options)
      case .hdf5StateDict: return try HDF5StateDict.read(tree)
      default: throw .notWeights(path: path, found: format.label)
      }
    }
    switch format {
    case .kerasArchive: return try KerasArchive.read(path, options)
    case .torchZip: return try TorchZip.read(path, part: part)
    case .torchLegacy: return try TorchLegacy.read(path, part: part)
    case .torchScript: return try TorchZip.read(path, .torchScript, part: part)
    case .torchTar: return try TorchTar.read(path, part: part)
    case .pickle: return try BarePickle.read(path, part: part)
    case .safetensors: return try SafeTensorsFile.read(path)
    case .npz, .npy: return try NumPyFile.read(path, format)
    case .numPyFolder: return try NumPyFile.read(folder: path)
    case .ncnnParameters: return try NCNNFile.read(path)
    case .shardIndex:
      if let file = try SafeTensorsIndex.read(path) { return file }
      return try KerasShards.read(path, options)
    case .onnx: return try ONNXFile.read(path, options.onnx)
    case .savedModel: return try SavedModel.read(path)
    case .tensorBundle:
      guard let index = TensorFlowFiles.index(of: path) else {
        throw .cannotRead(path: path, reason: "no such file or directory")
      }
      return try TensorFlowCheckpoint.read(path, index: index)
    // Those of HDF5 are above.
    case .aviaryCheckpoint, .kerasHDF5, .kerasWeightsHDF5, .hdf5StateDict:
      throw .notWeights(path: path, found: format.label)
    }
  }

  /// The SHA-256 of the file's bytes in hexadecimal, for a card's provenance; of a folder that of
  /// the lines `sha256sum` prints for its files.
  ///
  /// - Throws: `CheckpointError.cannotRead`.
  public static func sha256(_ path: String) throws(CheckpointError) -> String {
    let files: [String]
    if let found = try TensorFlowFiles.all(of: path) {
      files = found
    } else if NumPyFile.isFolder(path) {
      files = try NumPyFile.files(in: path).map { "\(path)/\($0)" }
    } else {
      return try InputFile(weights: path).sha256()
    }
    var lines = ""
    for file in files {
      let name = file.split(separator: "/").last ?? ""
      lines += "\(try InputFile(weights: file).sha256())  \(name)\n"
    }
    return SHA256.hash(data: Array(lines.utf8)).hexadecimal
  }

  /// The same weights with the stripped prefix put back.
  ///
  /// Some networks name all their parameters `model.…` by themselves: when the stripped names fit
  /// no architecture, these may.
  public var withPrefix: WeightsFile { restoring(unwrapping.prefix) }

  /// The same weights under the names that they may have in their network, the likeliest first: without
  /// the prefix, with more and more of its end, and, where the file has none, with one that the file
  /// may have lost.
  package var readings: [WeightsFile] {
    let prefix = unwrapping.prefix
    let starts = prefix.indices.filter {
      $0 == prefix.startIndex || prefix[prefix.index(before: $0)] == "."
    }
    let ends = starts.reversed().map { restoring(String(prefix[$0...])) }
    // Keras's layers are told by more than their names.
    guard prefix.isEmpty, layers.isEmpty, network == nil else { return [self] + ends }
    return [self]
      + ["model.", "net."].map { lost in
        var result = restoring(lost)
        result.unwrapping.notes.append("'\(lost)' put before the names, which the network has")
        return result
      }
  }

  private func restoring(_ end: String) -> WeightsFile {
    var result = self
    result.tensors = tensors.renamed { end + $0 }
    result.optimizer = optimizer?.renamed { end + $0 }
    if unwrapping.prefix.hasSuffix(end) { result.unwrapping.prefix.removeLast(end.count) }
    return result
  }
}

/// What a user states about a file that the file itself does not say.
public struct ReadingOptions: Hashable, Sendable {
  /// Whether kernels were trained with Theano, which flips them: they are flipped back. No file of
  /// Keras 1 says which it was.
  public var theanoKernels: Bool
  /// The key of the dictionary of tensors that is meant, of a PyTorch file with several: the generator
  /// of two networks, or the plain weights beside averaged ones. Nil for the customary choice.
  public var part: String?
  /// How an HDF5 file is read: by the helper program unless its writer is trusted.
  public var hdf5: HDF5Access
  /// What the user states of an ONNX model.
  public var onnx: ONNXOptions

  /// Nothing is stated unless said.
  public init(
    theanoKernels: Bool = false, part: String? = nil, hdf5: HDF5Access = .isolated,
    onnx: ONNXOptions = ONNXOptions()
  ) {
    self.theanoKernels = theanoKernels
    self.part = part
    self.hdf5 = hdf5
    self.onnx = onnx
  }
}

/// A file of weights that is open: one of our own, or another framework's. This is the one place
/// that tells them apart.
public enum ModelFile: Sendable {
  /// A native checkpoint, for `Checkpoint`, `CheckpointFile` or `CheckpointSummary` to read.
  case native(ProbedFile)
  /// Another framework's weights.
  case external(WeightsFile)

  /// Opens the file at a path. No elements are read, and nothing in the file is ever run.
  ///
  /// - Parameter options: what the user states of the file.
  /// - Throws: `CheckpointError`: `.notWeights` for what holds no weights, `.unsupported` for
  ///   formats that are known and not read, and what is wrong with the file itself.
  public static func open(
    _ path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> ModelFile {
    let file = try ProbedFile(path, hdf5: options.hdf5)
    if file.format == .aviaryCheckpoint { return .native(file) }
    return .external(try WeightsFile.read(file, options))
  }

  /// How the file holds its weights.
  public var format: FileFormat {
    switch self {
    case .native(let file): file.format
    case .external(let file): file.format
    }
  }
}

/// How the tensors of a third-party file were found: what reports and provenance say about it.
public struct Unwrapping: Codable, Hashable, Sendable {
  /// The keys that lead from the file's outermost object to the dictionary of tensors, such as
  /// `["params_ema"]`; empty when the outermost object is that dictionary.
  public var path: [String] = []
  /// What every name began with and was stripped, such as `module.`; empty if nothing.
  public var prefix = ""
  /// The class of the pickled module that the tensors were taken from, if it was a whole module.
  public var moduleClass: String?
  /// Numbers and words found on the way, as name and value: `epoch`, `pytorch-lightning_version`.
  public var metadata: [Entry] = []
  /// What was left aside, in words: `optimizer (a dictionary)`.
  public var ignored: [String] = []
  /// Choices that a reader should know of, in words, such as EMA weights preferred to plain ones.
  public var notes: [String] = []

  /// A name and a value.
  public struct Entry: Codable, Hashable, Sendable {
    /// The key, with the keys that lead to it, joined by dots.
    public var name: String
    /// The value in words.
    public var value: String

    /// An entry.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Found without unwrapping.
  public init() {}
}
