public import AviaryFormats

/// What was written, and how it was verified against its source.
public struct ExportReport: Codable, Hashable, Sendable {
  /// How the written file was checked.
  public enum Check: Codable, Hashable, Sendable {
    /// The tensors that were read back have the same content hash.
    case hash
    /// The tensors that were read back have the same content hash; the network described by the
    /// file was not computed, because its only input size is too large for that.
    case tensors
    /// The file was read back as a network: the largest difference between its outputs and those of
    /// the original, for a test image of this height and width; and the same relative to the
    /// largest output.
    case outputs(height: Int, width: Int, largest: Double, relative: Double)
  }

  /// The file's format.
  public var format: TargetFormat
  /// The files, with the requested one first.
  public var files: [String]
  /// The content hash of the written weights.
  public var contentHash: String
  /// How the written file was checked.
  public var check: Check
  /// The changes made to fit the format, in words.
  public var changes: [String] = []
  /// What the format cannot hold, in words.
  public var leftBehind: [String] = []
  /// Parameters with NaN or infinite values.
  public var notFinite: [String] = []
}
