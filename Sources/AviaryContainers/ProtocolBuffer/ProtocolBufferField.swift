/// One field of a protocol buffer's message: its number and what it holds.
package struct ProtocolBufferField {
  /// What a field holds, by its wire type.
  package enum Content {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// Bytes, text, a message, or packed numbers: where they lie in the file.
    case bytes(Range<Int>)
  }

  /// The number that the message's definition gives the field.
  package var number: Int
  /// What it holds.
  package var content: Content

  /// A number of a field that is an integer; nil for another wire type. Negative numbers are stored
  /// as 64 bits.
  package var integer: Int? {
    if case .varint(let value) = content {
      Int(truncatingIfNeeded: Int64(bitPattern: value))
    } else {
      nil
    }
  }

  /// Where the content lies of a field of bytes; nil for another wire type.
  package var range: Range<Int>? { if case .bytes(let range) = content { range } else { nil } }

  /// A number of a field that is a float32; nil for another wire type.
  package var float: Float? {
    if case .fixed32(let bits) = content { Float(bitPattern: bits) } else { nil }
  }
}
