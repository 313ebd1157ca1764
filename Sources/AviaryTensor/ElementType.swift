/// The type of a tensor's elements, as stored in memory and in files.
public enum ElementType: String, CaseIterable, Codable, Hashable, Sendable {
  case float32
  case float64
  case float16
  /// The upper half of a float32 (1 sign, 8 exponent, 7 fraction bits).
  case bfloat16
  case int8
  case int16
  case int32
  case int64
  case uint8
  case uint16
  case uint32
  case uint64
  case bool

  /// The bytes that one element takes.
  public var byteCount: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Whether the type holds fractions.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }
}
