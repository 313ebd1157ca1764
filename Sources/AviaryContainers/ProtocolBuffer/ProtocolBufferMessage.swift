package import AviaryTensor

/// A message of a protocol buffer on its way to a file: its own bytes at hand, tensors' elements
/// still where they are. Every length is known before the first byte is written.
package struct ProtocolBufferMessage {
  /// A run of bytes.
  package enum Piece {
    case bytes([UInt8])
    /// So many bytes that `tensor` gives when their turn comes.
    case elements(byteCount: Int, tensor: () throws -> Tensor)
  }

  /// What the message is made of, in order.
  package private(set) var pieces: [Piece] = []
  /// The bytes of all pieces together.
  package private(set) var byteCount = 0

  /// An empty message.
  package init() {}

  /// Adds an integer.
  package mutating func add(_ number: Int, _ value: Int) {
    append(ProtocolBufferMessage.varint(UInt64(number << 3)))
    append(ProtocolBufferMessage.varint(UInt64(bitPattern: Int64(value))))
  }

  /// Adds a float32.
  package mutating func add(_ number: Int, _ value: Float) {
    append(ProtocolBufferMessage.varint(UInt64(number << 3 | 5)))
    append(ProtocolBufferMessage.littleEndian(value))
  }

  /// Adds a float64.
  package mutating func add(_ number: Int, _ value: Double) {
    append(ProtocolBufferMessage.varint(UInt64(number << 3 | 1)))
    append((0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) })
  }

  /// Adds text.
  package mutating func add(_ number: Int, _ text: String) { add(number, bytes: Array(text.utf8)) }

  /// Adds bytes.
  package mutating func add(_ number: Int, bytes: [UInt8]) {
    begin(number, byteCount: bytes.count)
    append(bytes)
  }

  /// Adds integers, packed.
  package mutating func add(_ number: Int, packed values: [Int]) {
    add(
      number,
      bytes: values.flatMap { ProtocolBufferMessage.varint(UInt64(bitPattern: Int64($0))) })
  }

  /// Adds a message.
  package mutating func add(_ number: Int, _ message: ProtocolBufferMessage) {
    begin(number, byteCount: message.byteCount)
    append(message)
  }

  /// Adds the fields of another message to this one's.
  package mutating func append(_ message: ProtocolBufferMessage) {
    for piece in message.pieces {
      switch piece {
      case .bytes(let bytes): append(bytes)
      case .elements(let count, _):
        pieces.append(piece)
        byteCount += count
      }
    }
  }

  /// Adds the bytes of a tensor's elements, which is read when they are written.
  package mutating func add(
    _ number: Int, byteCount: Int, elements tensor: @escaping () throws -> Tensor
  ) {
    begin(number, byteCount: byteCount)
    pieces.append(.elements(byteCount: byteCount, tensor: tensor))
    self.byteCount += byteCount
  }

  private mutating func begin(_ number: Int, byteCount: Int) {
    append(ProtocolBufferMessage.varint(UInt64(number << 3 | 2)))
    append(ProtocolBufferMessage.varint(UInt64(byteCount)))
  }

  private mutating func append(_ bytes: [UInt8]) {
    byteCount += bytes.count
    if case .bytes(var last) = pieces.last {
      // Taken out first, so that appending does not copy.
      pieces.removeLast()
      last += bytes
      pieces.append(.bytes(last))
    } else {
      pieces.append(.bytes(bytes))
    }
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (value, bytes) = (value, [UInt8]())
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7F) | 0x80)
      value >>= 7
    }
    return bytes + [UInt8(value)]
  }

  /// A number's bytes, the lowest first.
  package static func littleEndian(_ value: Float) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) }
  }
}
