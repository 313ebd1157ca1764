public import AviaryContainers

/// A file of weights that is open: one of our own, or another framework's. This is the one place that
/// tells them apart.
public enum ModelFile: Sendable {
  /// A native checkpoint, for `Checkpoint`, `CheckpointFile` or `CheckpointSummary` to read.
  case native(ProbedFile)
  /// Another framework's weights.
  case external(WeightsFile)

  /// Opens the file at a path. No elements are read, and nothing in the file is ever run.
  ///
  /// - Parameter options: what the user states of the file.
  /// - Throws: `CheckpointError`: `.notWeights` for what holds no weights, `.unsupported` for formats
  ///   that are known and not read, and what is wrong with the file itself.
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
