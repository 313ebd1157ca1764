import AviaryHDF5

/// Reads an `HDF5Answer` from front to back; what it does not have is an error, whatever it says.
struct HDF5AnswerCursor {
  private let bytes: [UInt8]
  private let path: String
  private var position = 0

  /// - Parameter path: the HDF5 file, for messages.
  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The bytes that follow.
  var remaining: Int { bytes.count - position }

  /// Reads what every answer begins with.
  ///
  /// - Throws: `CheckpointError`: what the reader found wrong with the file, or `.readerFailed`.
  mutating func begin() throws(CheckpointError) -> HDF5Answer.Kind {
    guard bytes.starts(with: HDF5Answer.signature) else {
      throw .readerFailed(path: path, reason: "an answer of its own kind and version expected")
    }
    position = HDF5Answer.signature.count
    guard let kind = HDF5Answer.Kind(rawValue: try byte()) else { throw nonsense("the kind") }
    switch kind {
    case .tree, .done: return kind
    case .damaged: throw .damaged(path: path, part: try words(), reason: try words())
    case .unsupported: throw .unsupported(path: path, what: try words())
    case .tooLarge:
      throw .tooLarge(path: path, part: try words(), limit: try size(), found: try size())
    }
  }

  mutating func byte() throws(CheckpointError) -> UInt8 {
    guard remaining > 0 else { throw nonsense("the end") }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func number() throws(CheckpointError) -> UInt64 { try number(8) }

  /// A number that is a size.
  mutating func size() throws(CheckpointError) -> Int {
    guard let size = Int(exactly: try number(8)) else { throw nonsense("a size") }
    return size
  }

  /// The count of things that take so many bytes each at least.
  mutating func count(of least: Int) throws(CheckpointError) -> Int {
    let count = Int(try number(4))
    guard count <= remaining / least else { throw nonsense("a count") }
    return count
  }

  mutating func text() throws(CheckpointError) -> String {
    let count = try count(of: 1)
    defer { position += count }
    guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
      throw nonsense("a text")
    }
    return text
  }

  /// A text that goes into a message: one line, of a length that can be read.
  private mutating func words() throws(CheckpointError) -> String {
    let text = try text()
    let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
    return String(String.UnicodeScalarView(line.prefix(1000)))
  }

  /// The error for an answer that contradicts itself.
  func nonsense(_ what: String) -> CheckpointError {
    .readerFailed(path: path, reason: "its answer makes no sense at byte \(position), in \(what)")
  }

  private mutating func number(_ count: Int) throws(CheckpointError) -> UInt64 {
    guard remaining >= count else { throw nonsense("the end") }
    var value: UInt64 = 0
    for i in 0..<count { value |= UInt64(bytes[position + i]) << UInt64(8 * i) }
    position += count
    return value
  }
}
