/// A file that a command writes beside what it reads, checked before anything is computed.
enum OutputFile {
  /// Throws unless a file may be written.
  ///
  /// - Parameters:
  ///   - replaces: whether the user said that what is there may be replaced (`--force`).
  ///   - inputs: the files that the command reads. None is ever replaced, whatever path or link leads
  ///     to it.
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
