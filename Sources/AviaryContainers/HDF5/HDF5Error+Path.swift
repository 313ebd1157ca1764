import AviaryHDF5

extension CheckpointError {
  /// What is the matter in the HDF5 file at `path`.
  init(_ error: HDF5Error, in path: String) {
    self =
      switch error {
      case .damaged(let part, let reason): .damaged(path: path, part: part, reason: reason)
      case .unsupported(let what): .unsupported(path: path, what: what)
      case .tooLarge(let part, let limit, let found):
        .tooLarge(path: path, part: part, limit: limit, found: found)
      }
  }
}
