package import AviaryFiles

/// A file that stays open for as long as tensors of it may be asked for.
package final class OpenFile: Sendable {
  /// The file; reading it is safe from any thread.
  package let file: InputFile

  /// Opens a regular file.
  package init(_ path: String) throws(CheckpointError) { file = try InputFile(weights: path) }
}
