package import AviaryFiles

/// A table of sorted keys and their values: LevelDB's format, in which TensorFlow keeps the index of a
/// checkpoint (tensorflow/tsl/lib/io/format.h; "Leveldb file layout").
///
/// Blocks of entries, each with a checksum, are found by an index block, which the footer names.
package struct SortedTable: Sendable {
  /// A key with its value.
  package struct Entry: Sendable {
    package var key: [UInt8]
    package var value: [UInt8]
  }

  /// All entries, in the file's order.
  package private(set) var entries: [Entry] = []

  /// The footer's bytes, of which the last eight are `magic`.
  private static let footerSize = 48
  private static let magic: [UInt8] = [0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB]
  /// A checkpoint of 9,000 variables has an index of 0.6 MB.
  private static let limits = (bytes: 256 << 20, block: 64 << 20, key: 1 << 16)

  /// Whether a file ends as such tables do.
  package static func isTable(_ file: borrowing InputFile) throws(CheckpointError) -> Bool {
    guard file.byteCount >= footerSize else { return false }
    return try file.read(at: file.byteCount - magic.count, count: magic.count, part: "the footer")
      == magic
  }

  /// Reads a table whole.
  ///
  /// - Throws: `CheckpointError.truncated`, `.damaged`, `.tooLarge`.
  package init(_ file: borrowing InputFile) throws(CheckpointError) {
    let end = file.byteCount - Self.footerSize
    guard try Self.isTable(file) else {
      throw .damaged(
        path: file.path, part: "the footer",
        reason: "expected the mark of a sorted table, found none")
    }
    let footer = try file.read(at: end, count: Self.footerSize, part: "the footer")
    var cursor = ByteCursor(footer, path: file.path, part: "the footer")
    _ = try Handle(&cursor)
    let index = try Handle(&cursor)
    var total = 0
    for entry in try Self.entries(index, of: file, "the index block", &total) {
      var cursor = ByteCursor(entry.value, path: file.path, part: "the index block")
      entries += try Self.entries(try Handle(&cursor), of: file, "a block", &total)
    }
  }

  /// Where a block lies.
  private struct Handle {
    var offset: Int
    var byteCount: Int

    init(_ cursor: inout ByteCursor) throws(CheckpointError) {
      offset = try cursor.variableSize()
      byteCount = try cursor.variableSize()
    }
  }

  /// The entries of a block, of which each begins with so many bytes of the key before it.
  private static func entries(
    _ handle: Handle, of file: borrowing InputFile, _ part: String, _ total: inout Int
  ) throws(CheckpointError) -> [Entry] {
    let contents = try contents(handle, of: file, part)
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(path: file.path, part: "\(part) at byte \(handle.offset)", reason: reason)
    }
    // Behind the entries stand where some of them begin, and how many of those there are.
    guard contents.count >= 4 else { throw damaged("expected 4 bytes or more") }
    let restarts = contents.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    let end = contents.count - 4 - 4 * restarts
    guard end >= 0 else { throw damaged("\(restarts) restarts in \(contents.count) bytes") }
    var cursor = ByteCursor(Array(contents[..<end]), path: file.path, part: part)
    var entries: [Entry] = []
    var key: [UInt8] = []
    while cursor.remaining > 0 {
      let shared = try cursor.variableSize()
      let unshared = try cursor.variableSize()
      let valueSize = try cursor.variableSize()
      guard shared <= key.count, unshared <= limits.key - shared else {
        throw damaged("a key of \(shared) bytes of the one before and \(unshared) of its own")
      }
      key = Array(key[..<shared]) + contents[try cursor.range(unshared)]
      let value = Array(contents[try cursor.range(valueSize)])
      total += key.count + value.count
      guard total <= limits.bytes else {
        throw .tooLarge(
          path: file.path, part: "the table, bytes", limit: limits.bytes, found: total)
      }
      entries.append(Entry(key: key, value: value))
    }
    return entries
  }

  /// A block's bytes, unpacked, once its checksum is right.
  private static func contents(
    _ handle: Handle, of file: borrowing InputFile, _ part: String
  ) throws(CheckpointError) -> [UInt8] {
    guard handle.byteCount <= limits.block else {
      throw .tooLarge(
        path: file.path, part: "\(part), bytes", limit: limits.block, found: handle.byteCount)
    }
    // Behind the contents stand how they are packed, and the checksum of both.
    let bytes = try file.read(at: handle.offset, count: handle.byteCount + 5, part: part)
    let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard CRC32C.masked(bytes.dropLast(4)) == stored else {
      throw .damaged(
        path: file.path, part: "\(part) at byte \(handle.offset)", reason: "its checksum is wrong")
    }
    let contents = Array(bytes.dropLast(5))
    switch bytes[handle.byteCount] {
    case 0: return contents
    case 1: return try Snappy.unpack(contents, limit: limits.block, path: file.path, part: part)
    case let kind:
      throw .damaged(
        path: file.path, part: "\(part) at byte \(handle.offset)",
        reason: "expected compression 0 (none) or 1 (Snappy), found \(kind)")
    }
  }
}

extension ByteCursor {
  /// A size of seven bits a byte, the lowest first.
  package mutating func variableSize() throws(CheckpointError) -> Int {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 63, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return Int(value) }
    }
    throw .damaged(
      path: path, part: "\(part) at byte \(position)", reason: "expected a size, found 2^63 or more"
    )
  }
}
