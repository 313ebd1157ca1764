public import AviaryCheckpoint
public import AviaryContainers
public import AviaryContainers

extension ProbedFile {
  /// What the file says, if it is a native checkpoint.
  ///
  /// - Throws: `CheckpointError.notWeights` if it is something else.
  fileprivate func checkpointTree() throws(CheckpointError) -> HDF5Tree {
    guard format == .aviaryCheckpoint, let tree else {
      throw .notWeights(path: path, found: format.label)
    }
    return tree
  }
}

extension Checkpoint {
  /// Reads a native checkpoint.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - verify: whether the content hash is computed and compared with the stored one.
  ///   - hdf5: who reads the file.
  /// - Throws: `CheckpointError`: `.notWeights` if the file is something else, `.hashMismatch` if
  ///   the tensors are not those that were written, `.newerVersion`, `.readerFailed` if the helper
  ///   program could not read it, and what is wrong with the file itself.
  public init(
    contentsOf path: String, verify: Bool = true, hdf5: HDF5Access = .isolated
  ) throws(CheckpointError) {
    try self.init(contentsOf: try ProbedFile(path, hdf5: hdf5), verify: verify)
  }

  /// Reads a native checkpoint whose format was detected already.
  ///
  /// - Throws: as `init(contentsOf:verify:hdf5:)`.
  public init(contentsOf file: ProbedFile, verify: Bool = true) throws(CheckpointError) {
    try self.init(contentsOf: try file.checkpointTree(), verify: verify)
  }
}

extension CheckpointFile {
  /// Opens a native checkpoint; no weights are read.
  ///
  /// - Throws: `CheckpointError`, as `Checkpoint.init(contentsOf:verify:hdf5:)`; the hash is not
  ///   verified.
  public init(_ path: String, hdf5: HDF5Access = .isolated) throws(CheckpointError) {
    try self.init(try ProbedFile(path, hdf5: hdf5))
  }

  /// Opens a native checkpoint whose format was detected already.
  ///
  /// - Throws: as `init(_:hdf5:)`.
  public init(_ file: ProbedFile) throws(CheckpointError) {
    try self.init(try file.checkpointTree())
  }
}

extension CheckpointSummary {
  /// Reads the description of a native checkpoint.
  ///
  /// - Throws: `CheckpointError`, as `Checkpoint.init(contentsOf:verify:hdf5:)`; the hash is not
  ///   verified.
  public init(of path: String, hdf5: HDF5Access = .isolated) throws(CheckpointError) {
    try self.init(of: try ProbedFile(path, hdf5: hdf5))
  }

  /// Reads the description of a native checkpoint whose format was detected already.
  ///
  /// - Throws: as `init(of:hdf5:)`.
  public init(of file: ProbedFile) throws(CheckpointError) {
    try self.init(of: try file.checkpointTree())
  }
}
