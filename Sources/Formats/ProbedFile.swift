public import AviaryContainers

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
    if let other = FileFormat.foreignFolder(path) {
      throw .notWeights(path: path, found: other)
    }
    if let folder = FileFormat.sniffFolder(path) {
      (tree, format) = (nil, folder)
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
