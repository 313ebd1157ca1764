import AviaryContainers
import AviaryFiles
import AviaryTensor

/// The arrays of one `.npy` or `.npz` file, described now and read when asked for.
struct NumPyArrays {
  /// An array and how to read it.
  struct Entry: Sendable {
    /// Its name in the archive, less `.npy`; empty where the file is one array without a name.
    var name: String
    var shape: [Int]
    var elementType: ElementType
    var load: @Sendable () throws(CheckpointError) -> Tensor
  }

  /// More members than any network has parameters.
  private static let memberLimit = 1 << 16

  /// In the file's order.
  let entries: [Entry]

  /// Reads the headers of a file.
  init(_ path: String) throws(CheckpointError) {
    let open = try OpenFile(path)
    let magic = try open.file.read(at: 0, count: min(open.file.byteCount, 4), part: "the beginning")
    entries =
      magic.starts(with: [0x50, 0x4B]) ? try Self.archive(open) : [try Self.single(open)]
  }

  private static func single(_ open: OpenFile) throws(CheckpointError) -> Entry {
    let path = open.file.path, part = "the array"
    let header = try NumPyHeader(path: path, part: part) { (count) throws(CheckpointError) in
      try open.file.read(at: 0, count: min(open.file.byteCount, count), part: part)
    }
    try check(header, byteCount: open.file.byteCount, path: path, part: part)
    return Entry(name: "", shape: header.shape, elementType: header.elementType) {
      () throws(CheckpointError) in
      let bytes = try open.file.read(
        at: header.byteCount, count: header.elementByteCount, part: part)
      return try header.tensor(bytes[...], path: path, part: part)
    }
  }

  private static func archive(_ open: OpenFile) throws(CheckpointError) -> [Entry] {
    let path = open.file.path
    let archive = try ZipArchive(open.file)
    guard archive.entries.count <= memberLimit else {
      throw .tooLarge(
        path: path, part: "members", limit: memberLimit, found: archive.entries.count)
    }
    // Members may be made to share their bytes, which would let a small file describe many.
    var unread = open.file.byteCount
    var entries: [Entry] = []
    for member in archive.entries where member.name.hasSuffix(".npy") {
      let part = member.name
      unread -= member.storedByteCount
      guard unread >= 0 else {
        throw .damaged(path: path, part: part, reason: "the members together exceed the file")
      }
      let header = try NumPyHeader(path: path, part: part) { (count) throws(CheckpointError) in
        try archive.beginning(of: member, in: open.file, count: count)
      }
      try check(header, byteCount: member.byteCount, path: path, part: part)
      entries.append(
        Entry(
          name: String(part.dropLast(4)), shape: header.shape, elementType: header.elementType
        ) { () throws(CheckpointError) in
          let bytes = try archive.content(of: member, in: open.file)
          guard bytes.count == header.byteCount + header.elementByteCount else {
            throw .truncated(
              path: path, part: part, expected: header.byteCount + header.elementByteCount,
              found: bytes.count)
          }
          return try header.tensor(bytes[header.byteCount...], path: path, part: part)
        })
    }
    return entries
  }

  /// Behind the header the elements lie, and nothing else.
  private static func check(
    _ header: NumPyHeader, byteCount: Int, path: String, part: String
  ) throws(CheckpointError) {
    let found = byteCount - header.byteCount
    guard found >= header.elementByteCount else {
      throw .truncated(path: path, part: part, expected: header.elementByteCount, found: found)
    }
    guard found == header.elementByteCount else {
      throw .damaged(
        path: path, part: part,
        reason: "\(header.elementByteCount) bytes expected, \(found) found")
    }
  }
}

extension ZipArchive {
  /// At most the first `count` bytes of a member, without its checksum; no more of the file is read
  /// or unpacked than that takes.
  func beginning(
    of entry: Entry, in file: borrowing InputFile, count: Int
  ) throws(CheckpointError) -> [UInt8] {
    let start =
      try entry.method == 0
      ? contentOffset(of: entry, in: file) : storedOffset(of: entry, in: file)
    guard entry.method == 8 else {
      return try file.read(at: start, count: min(count, entry.byteCount), part: entry.name)
    }
    var unpacking = try ZipUnpacking(entry, path: file.path)
    var content: [UInt8] = []
    var position = 0
    while content.count < count, position < entry.storedByteCount {
      let piece = min(1 << 10, entry.storedByteCount - position)
      try unsafe unpacking.take(
        file.read(at: start + position, count: piece, part: entry.name)
      ) { (bytes) throws(CheckpointError) in unsafe content.append(contentsOf: bytes) }
      position += piece
    }
    return Array(content.prefix(count))
  }
}
