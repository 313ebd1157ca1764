public import AviaryCheckpoint

/// What was written, and how it was held against what it was written from.
public struct ExportReport: Codable, Hashable, Sendable {
  /// How the written file was checked.
  public enum Check: Codable, Hashable, Sendable {
    /// Read back, the tensors have the same content hash.
    case hash
    /// Read back, the tensors have the same content hash; the network that the file describes was not
    /// computed, because it takes but one size, which is too large for that.
    case tensors
    /// Read back as a network, its outputs for a test picture of this height and width differ by this
    /// much from those of the original, at most; relative to the largest output.
    case outputs(height: Int, width: Int, largest: Double, relative: Double)
  }

  /// The file's format.
  public var format: TargetFormat
  /// The files, the one that was asked for first.
  public var files: [String]
  /// The content hash of the weights that were written.
  public var contentHash: String
  /// How the written file was checked.
  public var check: Check
  /// What was done to fit the format, in words.
  public var changes: [String] = []
  /// What the format does not hold, in words.
  public var leftBehind: [String] = []
  /// Parameters with values that are no numbers, or infinite.
  public var notFinite: [String] = []
}
