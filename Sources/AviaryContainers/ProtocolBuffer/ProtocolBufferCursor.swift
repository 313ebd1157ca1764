import AviaryFiles
package import AviaryTensor
import Synchronization

/// A place in a message of a protocol buffer, from which its fields are read one after the other.
///
/// Every length is checked against the message that it lies in, so that nothing is read or reserved
/// beyond it. Messages within messages are opened by who knows their definition, so that the depth
/// is that of the definitions and never the file's.
package struct ProtocolBufferCursor {
  package let file: ProtocolBufferFile
  /// Where the next field begins.
  package private(set) var position: Int
  /// Where the message ends.
  package let end: Int
  /// What the message is, for errors.
  package let part: String
  /// The stretch of the file at hand.
  private var window: (start: Int, bytes: [UInt8]) = (0, [])

  package init(_ file: ProtocolBufferFile, _ range: Range<Int>, part: String) {
    self.file = file
    position = range.lowerBound
    end = range.upperBound
    self.part = part
  }

  /// The next field; nil at the end of the message.
  package mutating func next() throws(CheckpointError) -> ProtocolBufferField? {
    guard position < end else { return nil }
    let key = try varint()
    let number = key >> 3
    guard (1...UInt64(1 << 29)).contains(number) else { throw damaged("field number \(number)") }
    let content: ProtocolBufferField.Content
    switch key & 7 {
    case 0: content = .varint(try varint())
    case 1: content = .fixed64(try fixed(bytes: 8))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw .truncated(
          path: file.path, part: "\(part) at byte \(position)",
          expected: Int(clamping: length), found: end - position)
      }
      content = .bytes(position..<position + Int(length))
      position += Int(length)
    case 5: content = .fixed32(UInt32(truncatingIfNeeded: try fixed(bytes: 4)))
    // Groups (3 and 4) went out of use before any format that is read here came up.
    default: throw damaged("wire type \(key & 7)")
    }
    return ProtocolBufferField(number: Int(number), content: content)
  }

  /// The next number of seven bits a byte.
  package mutating func varint() throws(CheckpointError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try byte()
      // The tenth byte has room for one bit; what is beyond 64 bits is dropped, as everywhere.
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw damaged("a number of more than 10 bytes")
  }

  private mutating func fixed(bytes count: Int) throws(CheckpointError) -> UInt64 {
    var value: UInt64 = 0
    for i in 0..<count { value |= UInt64(try byte()) << UInt64(8 * i) }
    return value
  }

  private mutating func byte() throws(CheckpointError) -> UInt8 {
    guard position < end else {
      throw .truncated(
        path: file.path, part: "\(part) at byte \(position)", expected: 1, found: 0)
    }
    if !(window.start..<window.start + window.bytes.count).contains(position) {
      window = try file.window(holding: position..<position + 1, part: part)
    }
    defer { position += 1 }
    return window.bytes[position - window.start]
  }

  /// An error about the message.
  package func damaged(_ reason: String) -> CheckpointError {
    .damaged(path: file.path, part: "\(part) at byte \(position)", reason: reason)
  }
}

extension ProtocolBufferCursor {
  /// The bytes of a field as text, of at most `limit` bytes; nothing else has text.
  package func text(
    _ field: ProtocolBufferField, limit: Int = 1 << 16
  ) throws(CheckpointError) -> String {
    guard let range = field.range else { throw damaged("field \(field.number) is no text") }
    guard range.count <= limit else {
      throw .tooLarge(
        path: file.path, part: "\(part), bytes of a text", limit: limit, found: range.count)
    }
    return String(decoding: try file.bytes(range, part: part), as: UTF8.self)
  }

  /// The message in a field.
  package func message(
    _ field: ProtocolBufferField, _ part: String
  ) throws(CheckpointError) -> ProtocolBufferCursor {
    guard let range = field.range else { throw damaged("field \(field.number) is no message") }
    return ProtocolBufferCursor(file, range, part: part)
  }

  /// The integers of a field: one, or several packed.
  ///
  /// - Parameter limit: how many there may be at most.
  package func integers(
    _ field: ProtocolBufferField, limit: Int = 1 << 16
  ) throws(CheckpointError) -> [Int] {
    if let integer = field.integer { return [integer] }
    var numbers: [Int] = []
    var cursor = try message(field, part)
    while cursor.position < cursor.end {
      let value = Int(truncatingIfNeeded: Int64(bitPattern: try cursor.varint()))
      guard numbers.count < limit else {
        throw .tooLarge(
          path: file.path, part: "\(part), integers", limit: limit, found: numbers.count + 1)
      }
      numbers.append(value)
    }
    return numbers
  }

  /// The float32 numbers of a field: one, or several packed.
  ///
  /// - Parameter limit: how many there may be at most.
  package func floats(
    _ field: ProtocolBufferField, limit: Int = 1 << 16
  ) throws(CheckpointError) -> [Float] {
    if let float = field.float { return [float] }
    guard let range = field.range, range.count % 4 == 0, range.count / 4 <= limit else {
      throw damaged("field \(field.number) is no row of up to \(limit) float32 numbers")
    }
    let bytes = try file.bytes(range, part: part)
    return stride(from: 0, to: bytes.count, by: 4).map { i in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[i + $1]) << UInt32(8 * $1) })
    }
  }
}

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

/// A file in the wire format of protocol buffers, read by ranges: what a message holds in bulk (the
/// elements of tensors) is passed over and stays in the file until asked for.
///
/// The format is read and written here and not by a library, because a library reads the whole
/// message into memory, writes it from memory, and wants thousands of generated lines for the dozen
/// messages that ONNX needs. (The format: protobuf.dev, "Encoding".)
package final class ProtocolBufferFile: Sendable {
  /// The path, for messages.
  package let path: String
  /// The bytes in the file.
  package let byteCount: Int
  /// Nil for a message in memory, which is in the window whole.
  private let file: InputFile?
  /// The stretch of the file that was read last: messages are read byte by byte.
  private let window = Mutex<(start: Int, bytes: [UInt8])>((0, []))

  private static let windowSize = 1 << 16

  package init(_ path: String) throws(CheckpointError) {
    let file = try InputFile(weights: path)
    self.path = file.path
    byteCount = file.byteCount
    self.file = consume file
  }

  /// A message that was read before; `path` is for messages.
  package init(_ bytes: [UInt8], path: String) {
    self.path = path
    byteCount = bytes.count
    file = nil
    window.withLock { $0 = (0, bytes) }
  }

  /// The bytes of a range, which must lie in the file.
  package func bytes(_ range: Range<Int>, part: String) throws(CheckpointError) -> [UInt8] {
    if range.isEmpty { return [] }
    if range.count <= ProtocolBufferFile.windowSize / 4 {
      let window = try window(holding: range, part: part)
      let start = range.lowerBound - window.start
      return Array(window.bytes[start..<start + range.count])
    }
    return try read(at: range.lowerBound, count: range.count, part: part)
  }

  private func read(
    at offset: Int, count: Int, part: String
  ) throws(CheckpointError) -> [UInt8] {
    if let bytes = try file?.read(at: offset, count: count, part: part) { return bytes }
    let known = window.withLock { $0.bytes }
    guard offset + count <= known.count else {
      throw .truncated(
        path: path, part: part, expected: count, found: max(known.count - offset, 0))
    }
    return Array(known[offset..<offset + count])
  }

  /// A tensor whose elements lie in the file as they are in memory.
  package func tensor(
    at offset: Int, shape: [Int], elementType: ElementType, part: String
  ) throws(CheckpointError) -> Tensor {
    guard
      let tensor = try file?.tensor(
        at: offset, shape: shape, elementType: elementType, part: part)
    else { throw .truncated(path: path, part: part, expected: 1, found: 0) }
    return tensor
  }

  /// A stretch of the file that has at least the bytes of a short range.
  package func window(
    holding range: Range<Int>, part: String
  ) throws(CheckpointError) -> (start: Int, bytes: [UInt8]) {
    let known = window.withLock { $0 }
    if range.lowerBound >= known.start, range.upperBound <= known.start + known.bytes.count {
      return known
    }
    let count = min(ProtocolBufferFile.windowSize, byteCount - range.lowerBound)
    let bytes = try read(at: range.lowerBound, count: max(count, range.count), part: part)
    window.withLock { $0 = (range.lowerBound, bytes) }
    return (range.lowerBound, bytes)
  }
}
