/// What a reader of HDF5 answers: a message that its host decodes like a hostile file.
///
/// All numbers are little-endian. A text is the count of its bytes (u32) and the bytes. It begins
/// with `signature` and one byte of `Kind`; then comes
/// - for `.tree` the root group: attributes, the count of its members (u32), and of each, sorted by
///   the bytes of the names, the name (text), 0 or 1 (u8), and the group or data set itself;
///   a data set is its rank (u8), dimensions (u64), `HDF5Kind` (u8), `Flags` (u8), offset (u64),
///   stored bytes (u64), its text if flagged, and attributes;
///   attributes are their count (u32) and of each the name, `AttributeKind` (u8), the count of
///   values (u32) and the values: texts, i64 or float64;
/// - for `.done` nothing: the shared memory holds the elements;
/// - for `.damaged` the part and the reason, for `.unsupported` what, for `.tooLarge` the part, the
///   limit and what was found (u64).
package struct HDF5Answer {
  /// `AVH5` and the version of this message.
  package static let signature: [UInt8] = [0x41, 0x56, 0x48, 0x35, 1]

  /// What is answered.
  package enum Kind: UInt8 {
    case tree, done, damaged, unsupported, tooLarge
  }

  /// The bits of a data set's byte of flags.
  package enum Flags {
    /// The elements are in the file as they are in memory, if they lie in one piece.
    package static let isPlain: UInt8 = 1
    package static let isFiltered: UInt8 = 2
    package static let hasOffset: UInt8 = 4
    package static let hasText: UInt8 = 8
  }

  /// What an attribute holds.
  package enum AttributeKind: UInt8 {
    case strings, integers, floats
  }

  /// The message so far.
  package private(set) var bytes = HDF5Answer.signature

  /// A message of this kind, its content still to come.
  init(_ kind: Kind) { bytes.append(kind.rawValue) }

  /// The answer that the elements are where they were asked for.
  package static var done: [UInt8] { HDF5Answer(.done).bytes }

  /// The answer that something is the matter.
  package static func failure(_ error: HDF5Error) -> [UInt8] {
    var answer: HDF5Answer
    switch error {
    case .damaged(let part, let reason):
      answer = HDF5Answer(.damaged)
      answer.add(part)
      answer.add(reason)
    case .unsupported(let what):
      answer = HDF5Answer(.unsupported)
      answer.add(what)
    case .tooLarge(let part, let limit, let found):
      answer = HDF5Answer(.tooLarge)
      answer.add(part)
      answer.add(UInt64(limit))
      answer.add(UInt64(found))
    }
    return answer.bytes
  }

  mutating func add(_ byte: UInt8) { bytes.append(byte) }

  mutating func add(_ number: UInt64) {
    unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func add(count: Int) {
    unsafe withUnsafeBytes(of: UInt32(clamping: count).littleEndian) {
      unsafe bytes.append(contentsOf: $0)
    }
  }

  mutating func add(_ text: String) {
    add(count: text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }
}
