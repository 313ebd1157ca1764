package import AviaryFiles

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

  /// Gives a member's content piece by piece, stored or deflated: no more memory is taken than a few
  /// pieces, whatever the member says of its size.
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
