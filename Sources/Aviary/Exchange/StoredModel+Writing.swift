public import AviaryCheckpoint
internal import AviaryGraph
internal import AviaryInterchange

extension StoredModel {
  /// Writes the model as a file of a format, then reads it back and compares.
  ///
  /// - Parameters:
  ///   - path: the file; what is there is replaced in one step.
  ///   - module: with PyTorch's format, a Python file for the module that the weights belong to.
  /// - Throws: `CheckpointError` for a file that cannot be written; `InterchangeError.target` for a
  ///   network that the format cannot express; `AviaryError.hash` if what was written is not what
  ///   should have been.
  public func write(
    to path: String, as format: TargetFormat, module: String? = nil
  ) throws -> ExportReport {
    let model = try loaded()
    let checkpoint = model.checkpoint
    try checkpoint.write(to: path)
    let written = try Checkpoint(contentsOf: path)
    guard written.contentHash == checkpoint.contentHash else {
      throw AviaryError.hash(
        path: path, stored: checkpoint.contentHash, found: written.contentHash)
    }
    return ExportReport(
      format: format, files: [path], contentHash: written.contentHash, check: .hash,
      notFinite: model.notFinite)
  }
}
