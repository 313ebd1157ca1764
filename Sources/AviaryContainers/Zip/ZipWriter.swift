package import AviaryFiles
import CZlib

/// A zip archive (PKWARE APPNOTE 6.3) of stored members under construction, member by member, zip64
/// where sizes ask for it.
///
/// The content of each member begins at a multiple of 64 bytes, by an extra field `FB` that PyTorch
/// fills up in the same way: the file can be mapped into memory and used as it lies there.
package struct ZipWriter: ~Copyable {
  private let file: AtomicFile
  /// How many bytes are written.
  private var position = 0
  /// The directory, as far as it is known.
  private var directory: [UInt8] = []
  private var count = 0

  /// Where every member's content begins.
  private static let alignment = 64
  /// The first number that does not fit into 32 bits, which stands for "look into the extra field".
  private static let wide = 0xFFFF_FFFF
  /// Bytes that are copied at once on their way to the file.
  private static let chunk = 1 << 20
  /// The first of January 1980, the earliest day that zip knows: equal contents give equal bytes.
  private static let date = 0x21

  /// An empty archive that replaces `path` when it is finished.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  package init(replacing path: String) throws(CheckpointError) {
    do {
      file = try AtomicFile(replacing: path)
    } catch {
      throw CheckpointError(error)
    }
  }

  /// Appends a member; names must be different.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  package mutating func add(_ name: String, _ content: [UInt8]) throws(CheckpointError) {
    try begin(name, byteCount: content.count, crc: CRC32.of(content))
    try write(content)
  }

  /// Appends a member; names must be different.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  package mutating func add(_ name: String, _ content: UnsafeRawBufferPointer)
    throws(CheckpointError)
  {
    try begin(name, byteCount: content.count, crc: unsafe CRC32.of(content))
    do {
      try unsafe file.write(content)
    } catch {
      throw CheckpointError(error)
    }
    position += content.count
  }

  /// Appends a file as a member; names must be different.
  ///
  /// - Throws: `CheckpointError.cannotWrite`, or what keeps the file from being read.
  package mutating func add(_ name: String, _ content: borrowing InputFile) throws(CheckpointError)
  {
    func chunk(at offset: Int) throws(CheckpointError) -> [UInt8] {
      let count = min(Self.chunk, content.byteCount - offset)
      return try content.read(at: offset, count: count, part: name)
    }
    // Twice over the file: the checksum stands before the content.
    var crc = CRC32.of([])
    for offset in stride(from: 0, to: content.byteCount, by: Self.chunk) {
      crc = CRC32.of(try chunk(at: offset), after: crc)
    }
    try begin(name, byteCount: content.byteCount, crc: crc)
    for offset in stride(from: 0, to: content.byteCount, by: Self.chunk) {
      try write(try chunk(at: offset))
    }
  }

  private mutating func begin(
    _ name: String, byteCount: Int, crc: UInt32
  ) throws(CheckpointError) {
    directory += Self.entry(name, byteCount: byteCount, crc: crc, at: position)
    count += 1
    try write(Self.localHeader(name, byteCount: byteCount, crc: crc, at: position))
  }

  /// Writes the directory and puts the file under its name.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  package consuming func finish() throws(CheckpointError) {
    let end = Self.end(count: count, byteCount: directory.count, at: position)
    try write(directory)
    try write(end)
    do {
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }

  private mutating func write(_ bytes: [UInt8]) throws(CheckpointError) {
    do {
      try file.write(bytes)
    } catch {
      throw CheckpointError(error)
    }
    position += bytes.count
  }

  // MARK: Records

  private static func localHeader(
    _ name: String, byteCount: Int, crc: UInt32, at offset: Int
  ) -> [UInt8] {
    let isWide = byteCount >= wide
    var extra = isWide ? number(1, 2) + number(16, 2) + number(byteCount, 8, times: 2) : []
    let start = offset + 30 + name.utf8.count + extra.count + 4
    let padding = (alignment - start % alignment) % alignment
    extra +=
      Array("FB".utf8) + number(padding, 2) + Array(repeating: UInt8(ascii: "Z"), count: padding)
    return number(0x0403_4B50, 4) + common(name, byteCount, crc, isWide: isWide)
      + number(extra.count, 2) + Array(name.utf8) + extra
  }

  private static func entry(
    _ name: String, byteCount: Int, crc: UInt32, at offset: Int
  ) -> [UInt8] {
    // In this order, each only where its own 32 bits are all ones.
    let wideSizes = byteCount >= wide ? number(byteCount, 8, times: 2) : []
    let wideOffset = offset >= wide ? number(offset, 8) : []
    let sizes = wideSizes + wideOffset
    let extra = sizes.isEmpty ? [] : number(1, 2) + number(sizes.count, 2) + sizes
    return number(0x0201_4B50, 4) + number(sizes.isEmpty ? 20 : 45, 2)
      + common(name, byteCount, crc, isWide: byteCount >= wide) + number(extra.count, 2)
      // No comment, the first disk, no attributes.
      + number(0, 10) + number(min(offset, wide), 4) + Array(name.utf8) + extra
  }

  /// What local header and directory have in common: version, flags, method, date, checksum, sizes,
  /// the length of the name.
  private static func common(
    _ name: String, _ byteCount: Int, _ crc: UInt32, isWide: Bool
  ) -> [UInt8] {
    // Bit 11 says that the name is UTF-8.
    let flags = name.utf8.allSatisfy { $0 < 0x80 } ? 0 : 0x800
    return number(isWide ? 45 : 20, 2) + number(flags, 2) + number(0, 4) + number(date, 2)
      + number(Int(crc), 4) + number(min(byteCount, wide), 4, times: 2)
      + number(name.utf8.count, 2)
  }

  private static func end(count: Int, byteCount: Int, at offset: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    if count >= 0xFFFF || offset >= wide || byteCount >= wide {
      // The zip64 record, of 44 bytes after its own length, and what says where it is.
      bytes += number(0x0606_4B50, 4) + number(44, 8) + number(45, 2, times: 2) + number(0, 8)
      bytes += number(count, 8, times: 2) + number(byteCount, 8) + number(offset, 8)
      bytes += number(0x0706_4B50, 4) + number(0, 4) + number(offset + byteCount, 8)
      bytes += number(1, 4)
    }
    bytes += number(0x0605_4B50, 4) + number(0, 4) + number(min(count, 0xFFFF), 2, times: 2)
    return bytes + number(min(byteCount, wide), 4) + number(min(offset, wide), 4) + number(0, 2)
  }

  /// A number's bytes, the lowest first.
  private static func number(_ value: Int, _ count: Int, times: Int = 1) -> [UInt8] {
    let bytes = (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
    return Array(repeatElement(bytes, count: times).joined())
  }
}

/// The checksum of zip and PNG: CRC-32 of IEEE 802.3, by zlib, which uses the processor's own
/// instructions for it.
package enum CRC32 {
  /// The checksum of all the bytes.
  ///
  /// - Parameter earlier: the checksum of the bytes before these.
  package static func of(_ bytes: [UInt8], after earlier: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe of($0, after: earlier) }
  }

  /// The checksum of all the bytes.
  ///
  /// - Parameter earlier: the checksum of the bytes before these.
  package static func of(_ bytes: UnsafeRawBufferPointer, after earlier: UInt32 = 0) -> UInt32 {
    guard let start = bytes.baseAddress else { return earlier }
    let checksum = unsafe crc32_z(
      UInt(earlier), start.assumingMemoryBound(to: UInt8.self), bytes.count)
    return UInt32(truncatingIfNeeded: checksum)
  }
}
