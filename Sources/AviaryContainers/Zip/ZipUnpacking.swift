import CZlib

/// A member on its way out of an archive: inflated if it is deflated, counted, its checksum made.
@safe package struct ZipUnpacking: ~Copyable {
  private let entry: ZipArchive.Entry
  private let path: String
  /// zlib's state, which must stay where it is; nil for a stored member.
  private let stream: UnsafeMutablePointer<z_stream>?
  private var output = [UInt8](repeating: 0, count: 1 << 18)
  private var checksum: UInt = 0
  private var count = 0
  private var isFinished = false

  /// Begins with a member.
  package init(_ entry: ZipArchive.Entry, path: String) throws(CheckpointError) {
    var stream: UnsafeMutablePointer<z_stream>?
    if entry.method == 8 {
      let new = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      unsafe new.initialize(to: z_stream())
      guard unsafe czlib_inflate_raw(new) == Z_OK else {
        unsafe new.deallocate()
        throw .cannotRead(path: path, reason: "no memory to unpack \(entry.name)")
      }
      unsafe stream = new
    }
    self.entry = entry
    self.path = path
    unsafe self.stream = stream
  }

  deinit {
    guard let stream = unsafe stream else { return }
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Takes the next stored bytes, and gives what they unpack to, in pieces.
  package mutating func take(
    _ piece: [UInt8], _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard let stream = unsafe stream else {
      try unsafe piece.withUnsafeBufferPointer { (bytes) throws(CheckpointError) -> Void in
        try unsafe give(UnsafeRawBufferPointer(bytes), body)
      }
      return
    }
    // Behind the end of the packed data nothing may follow.
    guard !isFinished else { throw damaged("more follows behind its end") }
    var piece = piece
    let length = piece.count
    try unsafe piece.withUnsafeMutableBufferPointer { (input) throws(CheckpointError) -> Void in
      unsafe stream.pointee.next_in = input.baseAddress
      unsafe stream.pointee.avail_in = CUnsignedInt(length)
      repeat {
        let status = unsafe inflatePiece(stream)
        let filled = unsafe output.count - Int(stream.pointee.avail_out)
        let unpacked = output[..<filled]
        try unsafe unpacked.withUnsafeBufferPointer { (bytes) throws(CheckpointError) -> Void in
          try unsafe give(UnsafeRawBufferPointer(bytes), body)
        }
        if status == Z_STREAM_END {
          isFinished = true
          guard unsafe stream.pointee.avail_in == 0 else {
            throw damaged("more follows behind its end")
          }
          return
        }
        // Z_BUF_ERROR only says that nothing was left to do.
        guard status == Z_OK || status == Z_BUF_ERROR else {
          throw damaged("the packed data are not sound")
        }
      } while unsafe stream.pointee.avail_out == 0
    }
  }

  /// Checks that all came that was announced.
  package mutating func finish() throws(CheckpointError) {
    let isEnded = unsafe stream == nil || isFinished
    guard isEnded, count == entry.byteCount else {
      throw .truncated(path: path, part: entry.name, expected: entry.byteCount, found: count)
    }
    guard entry.crc == 0 || checksum == UInt(entry.crc) else {
      throw damaged("the checksum does not agree")
    }
  }

  private mutating func inflatePiece(_ stream: UnsafeMutablePointer<z_stream>) -> CInt {
    let size = output.count
    return unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe stream.pointee.next_out = output.baseAddress
      unsafe stream.pointee.avail_out = CUnsignedInt(size)
      return unsafe inflate(stream, Z_NO_FLUSH)
    }
  }

  private mutating func give(
    _ bytes: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    count += bytes.count
    guard count <= entry.byteCount else {
      throw damaged("expected \(entry.byteCount) bytes, found more")
    }
    unsafe checksum = crc32(
      checksum, bytes.bindMemory(to: UInt8.self).baseAddress, CUnsignedInt(bytes.count))
    try unsafe body(bytes)
  }

  private func damaged(_ reason: String) -> CheckpointError {
    .damaged(path: path, part: entry.name, reason: reason)
  }
}
