package import AviaryFiles

/// The directory of a zip archive (PKWARE APPNOTE 6.3), zip64 included.
package struct ZipArchive {
  /// The members in the directory's order.
  package let entries: [Entry]
  private let byName: [String: Int]

  /// A member of the archive.
  package struct Entry {
    package var name: String
    /// 0 is stored, 8 is deflated.
    package var method: UInt16
    /// The checksum of the content; 0 where the writer computed none.
    package var crc: UInt32
    /// The bytes that the content takes in the file.
    package var storedByteCount: Int
    /// The bytes of the content.
    package var byteCount: Int
    /// Where the member's own header is.
    package var headerOffset: Int
    /// Whether the content is encrypted.
    package var isEncrypted: Bool
  }

  /// A directory larger than this is no file of weights.
  private static let directoryLimit = 256 << 20

  /// Reads the directory at the end of the file.
  package init(_ file: borrowing InputFile) throws(CheckpointError) {
    let end = try Self.end(of: file)
    guard end.directoryByteCount <= Self.directoryLimit else {
      throw .tooLarge(
        path: file.path, part: "the zip directory, bytes", limit: Self.directoryLimit,
        found: end.directoryByteCount)
    }
    let directory = try file.read(
      at: end.directoryOffset, count: end.directoryByteCount, part: "the zip directory")
    var cursor = ByteCursor(directory, path: file.path, part: "the zip directory")
    var entries: [Entry] = []
    var byName: [String: Int] = [:]
    while cursor.remaining > 0 {
      let entry = try Self.entry(&cursor)
      guard byName.updateValue(entries.count, forKey: entry.name) == nil else {
        // Two readers would see two different files: a known way to smuggle.
        throw .damaged(
          path: file.path, part: "the zip directory", reason: "two members named \(entry.name)")
      }
      entries.append(entry)
    }
    try Self.check(entries, in: file, directoryOffset: end.directoryOffset)
    self.entries = entries
    self.byName = byName
  }

  /// The member of that name.
  package subscript(name: String) -> Entry? { byName[name].map { entries[$0] } }

  /// The content of a member, its checksum compared where it has one.
  package func content(of entry: Entry, in file: borrowing InputFile) throws(CheckpointError)
    -> [UInt8]
  {
    guard entry.method == 0 else { return try unpacked(entry, in: file) }
    let bytes = try file.read(
      at: try contentOffset(of: entry, in: file), count: entry.byteCount, part: entry.name)
    guard entry.crc == 0 || CRC32.of(bytes) == entry.crc else {
      throw .damaged(path: file.path, part: entry.name, reason: "the checksum does not agree")
    }
    return bytes
  }

  /// Where a stored member's content begins.
  package func contentOffset(of entry: Entry, in file: borrowing InputFile) throws(CheckpointError)
    -> Int
  {
    guard entry.method == 0, entry.storedByteCount == entry.byteCount else {
      throw .unsupported(
        path: file.path, what: "\(entry.name): compression of method \(entry.method)")
    }
    return try storedOffset(of: entry, in: file)
  }

  /// Where what is stored of a member begins, packed or not.
  package func storedOffset(of entry: Entry, in file: borrowing InputFile) throws(CheckpointError)
    -> Int
  {
    guard !entry.isEncrypted else {
      throw .unsupported(path: file.path, what: "\(entry.name): an encrypted member")
    }
    let header = try file.read(at: entry.headerOffset, count: 30, part: entry.name)
    guard header.starts(with: [0x50, 0x4B, 0x03, 0x04]) else {
      throw .damaged(path: file.path, part: entry.name, reason: "no member where one is announced")
    }
    // Name and extra field may differ in length from those in the directory.
    return entry.headerOffset + 30 + Int(header[26]) + Int(header[27]) << 8 + Int(header[28])
      + Int(header[29]) << 8
  }

  private static func entry(_ cursor: inout ByteCursor) throws(CheckpointError) -> Entry {
    guard try cursor.number(bytes: 4) == 0x0201_4B50 else {
      throw .damaged(
        path: cursor.path, part: cursor.part, reason: "no member where one is expected")
    }
    _ = try cursor.number(bytes: 4)
    let flags = try cursor.number(bytes: 2)
    let method = try cursor.number(bytes: 2)
    _ = try cursor.number(bytes: 4)
    let crc = try cursor.number(bytes: 4)
    var stored = try cursor.size(bytes: 4)
    var count = try cursor.size(bytes: 4)
    let nameLength = try cursor.size(bytes: 2)
    let extraLength = try cursor.size(bytes: 2)
    let commentLength = try cursor.size(bytes: 2)
    _ = try cursor.number(bytes: 8)
    var offset = try cursor.size(bytes: 4)
    let name = String(decoding: cursor.bytes[try cursor.range(nameLength)], as: UTF8.self)
    let extra = Array(cursor.bytes[try cursor.range(extraLength)])
    _ = try cursor.range(commentLength)
    // Sizes that need more than 32 bits stand in an extra field, in this order, each only if its
    // own 32 bits are all ones.
    var fields = ByteCursor(extra, path: cursor.path, part: name)
    while fields.remaining >= 4 {
      let identifier = try fields.number(bytes: 2)
      let range = try fields.range(try fields.size(bytes: 2))
      guard identifier == 1 else { continue }
      var zip64 = ByteCursor(Array(extra[range]), path: cursor.path, part: name)
      if count == 0xFFFF_FFFF { count = try zip64.size(bytes: 8) }
      if stored == 0xFFFF_FFFF { stored = try zip64.size(bytes: 8) }
      if offset == 0xFFFF_FFFF { offset = try zip64.size(bytes: 8) }
    }
    return Entry(
      name: name, method: UInt16(method), crc: UInt32(crc), storedByteCount: stored,
      byteCount: count, headerOffset: offset, isEncrypted: flags & 1 == 1)
  }

  private static func end(of file: borrowing InputFile) throws(CheckpointError)
    -> (directoryOffset: Int, directoryByteCount: Int)
  {
    // The last record has 22 bytes and a comment of at most 65,535.
    let tailCount = min(file.byteCount, 22 + 65_535)
    let tailOffset = file.byteCount - tailCount
    let tail = try file.read(at: tailOffset, count: tailCount, part: "the zip directory")
    var start = tailCount - 22
    while start >= 0, !tail[start...].starts(with: [0x50, 0x4B, 0x05, 0x06]) { start -= 1 }
    guard start >= 0 else {
      throw .damaged(
        path: file.path, part: "the zip container",
        reason: "the directory that ends it is missing after \(file.byteCount) bytes: truncated")
    }
    var cursor = ByteCursor(tail, at: start + 12, path: file.path, part: "the zip directory")
    let byteCount = try cursor.size(bytes: 4)
    let offset = try cursor.size(bytes: 4)
    guard byteCount == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else { return (offset, byteCount) }
    return try zip64End(of: file, before: tailOffset + start)
  }

  private static func zip64End(
    of file: borrowing InputFile, before end: Int
  ) throws(CheckpointError) -> (directoryOffset: Int, directoryByteCount: Int) {
    let part = "the zip64 directory"
    let locator = try file.read(at: end - 20, count: 20, part: part)
    var cursor = ByteCursor(locator, at: 8, path: file.path, part: part)
    let record = try file.read(at: try cursor.size(bytes: 8), count: 56, part: part)
    guard locator.starts(with: [0x50, 0x4B, 0x06, 0x07]),
      record.starts(with: [0x50, 0x4B, 0x06, 0x06])
    else {
      throw .damaged(path: file.path, part: part, reason: "not where it is announced")
    }
    var sizes = ByteCursor(record, at: 40, path: file.path, part: part)
    let byteCount = try sizes.size(bytes: 8)
    return (try sizes.size(bytes: 8), byteCount)
  }
}

extension ZipArchive {
  /// A member may be so many times as large as what is stored of it, once it is larger than `small`
  /// bytes. Weights pack to little less than their size.
  private static let limits = (ratio: 200, small: 16 << 20)

  /// Refuses what no writer of weights does, and what attacks do: members that lie over one
  /// another, so that a small file unpacks to a large one; sizes beyond reason; names that lead
  /// elsewhere.
  static func check(
    _ entries: [Entry], in file: borrowing InputFile, directoryOffset: Int
  ) throws(CheckpointError) {
    for entry in entries {
      let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
      guard !entry.name.isEmpty, parts.first != "", !parts.contains(".."),
        !entry.name.contains(where: { $0 == "\\" || $0 == "\0" })
      else {
        throw .damaged(
          path: file.path, part: "the zip directory",
          reason: "expected a name inside the archive, found '\(entry.name)'")
      }
      let (limit, overflow) = entry.storedByteCount.multipliedReportingOverflow(by: limits.ratio)
      guard overflow || entry.byteCount <= max(limit, limits.small) else {
        throw .tooLarge(
          path: file.path, part: "\(entry.name), unpacked bytes", limit: max(limit, limits.small),
          found: entry.byteCount)
      }
    }
    // A member's own header has 30 bytes and the name; its extra field may differ in length from
    // the directory's, so that this is the least that it takes.
    let places = entries.sorted { $0.headerOffset < $1.headerOffset }
    for (place, entry) in places.enumerated() {
      let next = place + 1 < places.count ? places[place + 1].headerOffset : directoryOffset
      let (end, overflow) = entry.headerOffset.addingReportingOverflow(
        30 + entry.name.utf8.count)
      guard !overflow, end <= next, entry.storedByteCount <= next - end else {
        let other = place + 1 < places.count ? places[place + 1].name : "the directory"
        throw .damaged(
          path: file.path, part: "the zip directory", reason: "\(entry.name) lies over \(other)")
      }
    }
  }
}

extension ZipArchive {
  /// The bytes that pass at a time.
  private static let chunk = 1 << 18

  /// The content of a deflated member.
  package func unpacked(_ entry: Entry, in file: borrowing InputFile) throws(CheckpointError)
    -> [UInt8]
  {
    var content: [UInt8] = []
    try unsafe unpack(entry, in: file) { (bytes) throws(CheckpointError) in
      unsafe content.append(contentsOf: bytes)
    }
    return content
  }

  /// Gives a member's content piece by piece, stored or deflated: no more memory is taken than a
  /// few pieces, whatever the member says of its size.
  ///
  /// - Throws: `.damaged` for content of another size than announced, or another checksum.
  package func unpack(
    _ entry: Entry, in file: borrowing InputFile,
    _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard entry.method == 0 || entry.method == 8 else {
      throw .unsupported(
        path: file.path, what: "\(entry.name): compression of method \(entry.method)")
    }
    let start = try storedOffset(of: entry, in: file)
    var unpacking = try ZipUnpacking(entry, path: file.path)
    var position = 0
    while position < entry.storedByteCount {
      let count = min(Self.chunk, entry.storedByteCount - position)
      try unsafe unpacking.take(
        file.read(at: start + position, count: count, part: entry.name), body)
      position += count
    }
    try unpacking.finish()
  }
}
