import AviaryFiles

/// A foreign file of weights: what it is, and its tensors.
public struct WeightsFile: Sendable {
  /// The path as given.
  public let path: String
  /// What the file is.
  public let format: FileFormat
  /// The tensors and how they were found.
  public let stateDict: StateDict

  /// Reads the tensors of a file in another framework's format; nothing in the file is ever run.
  ///
  /// - Throws: `CheckpointError`: `.notWeights` for what holds no weights (a native checkpoint
  ///   included: `Checkpoint` reads that), `.unsupported` for formats that are known and not yet
  ///   read, and what is wrong with the file itself.
  public static func read(_ path: String) throws(CheckpointError) -> WeightsFile {
    let format = try FileFormat.sniff(path)
    let stateDict: StateDict
    switch format {
    case .torchZip: stateDict = try TorchZip.read(path)
    case .torchLegacy: stateDict = try TorchLegacy.read(path)
    case .kerasHDF5, .kerasWeightsHDF5, .kerasArchive, .torchTar, .torchScript, .pickle, .npz, .npy,
      .safetensors, .onnx, .ncnnParameters, .gguf, .shardIndex:
      throw .unsupported(path: path, what: "reading \(format.label)")
    case .aviaryCheckpoint: throw .notWeights(path: path, found: format.label)
    }
    return WeightsFile(path: path, format: format, stateDict: stateDict)
  }

  /// The SHA-256 of the file's bytes in hexadecimal, for a card's provenance.
  ///
  /// - Throws: `CheckpointError.cannotRead`.
  public static func sha256(_ path: String) throws(CheckpointError) -> String {
    try InputFile(weights: path).sha256()
  }
}
