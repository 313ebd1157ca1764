/// The bits of a sample when it is rounded or written to a file.
public enum BitDepth: Int, Codable, Hashable, Sendable {
  case eight = 8
  case sixteen = 16

  /// The largest integer of this depth, which stands for the value 1.
  public var maximum: Int { (1 << rawValue) - 1 }

  package var byteCount: Int { rawValue / 8 }
}
