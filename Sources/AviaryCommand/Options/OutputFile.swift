/// An output file, checked before anything is computed.
enum OutputFile {
  /// Throws unless the file may be written.
  ///
  /// - Parameters:
  ///   - replaces: whether the user allowed overwriting an existing file (`--force`).
  ///   - inputs: the files that the command reads. None is ever overwritten, whichever path or link
  ///     leads to it.
  /// - Throws: `CommandError.outputIsNoFile`, `.outputIsInput`, `.outputExists`.
  static func check(
    _ path: String, replaces: Bool, inputs: [String] = []
  ) throws(CommandError) {
    guard let kind = PathKind(of: path) else { return }
    guard kind == .file else {
      throw .outputIsNoFile(path, found: PathKind.label(of: path))
    }
    if inputs.contains(where: path.isSameFile) { throw .outputIsInput(path) }
    if !replaces { throw .outputExists(path) }
  }
}
