/// A place in a run of bytes, from which little-endian numbers and further bytes are read.
///
/// Every read is checked: what lies beyond the end throws.
package struct ByteCursor {
  package let bytes: [UInt8]
  /// The next byte's index.
  package private(set) var position: Int
  /// The file, for messages.
  package let path: String
  /// What the bytes are, for messages.
  package let part: String

  package init(_ bytes: [UInt8], at position: Int = 0, path: String, part: String) {
    self.bytes = bytes
    self.position = position
    self.path = path
    self.part = part
  }

  /// How many bytes are left.
  package var remaining: Int { bytes.count - position }

  package mutating func byte() throws(CheckpointError) -> UInt8 {
    guard position < bytes.count else { throw truncated(1) }
    defer { position += 1 }
    return bytes[position]
  }

  /// An unsigned number of up to eight bytes.
  package mutating func number(bytes count: Int) throws(CheckpointError) -> UInt64 {
    guard remaining >= count else { throw truncated(count) }
    var value: UInt64 = 0
    for i in 0..<count { value |= UInt64(bytes[position + i]) << UInt64(8 * i) }
    position += count
    return value
  }

  /// An unsigned number of up to eight bytes that is a size: one that no memory has is an error.
  package mutating func size(bytes count: Int) throws(CheckpointError) -> Int {
    let value = try number(bytes: count)
    guard let size = Int(exactly: value) else { throw truncated(.max) }
    return size
  }

  /// The range of the next bytes, which are passed over, not copied.
  package mutating func range(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count >= 0, count <= remaining else { throw truncated(count) }
    defer { position += count }
    return position..<position + count
  }

  /// The next bytes as text; nil if they are not UTF-8.
  package mutating func text(_ count: Int) throws(CheckpointError) -> String? {
    let range = try range(count)
    return String(validating: bytes[range], as: UTF8.self)
  }

  /// The bytes up to a line feed, which is passed over.
  package mutating func line() throws(CheckpointError) -> String {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw truncated(remaining + 1) }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  private func truncated(_ count: Int) -> CheckpointError {
    .truncated(path: path, part: "\(part) at byte \(position)", expected: count, found: remaining)
  }
}
