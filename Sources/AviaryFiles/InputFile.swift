import Glibc

/// A regular file open for reading at any position; closed when it goes out of scope.
///
/// Reading is by `pread`, not by mapping: a file that another process truncates meanwhile gives
/// fewer bytes here, where a mapping would end the process with a signal.
package struct InputFile: ~Copyable {
  /// The path as the caller named it, for messages.
  package let path: String
  /// The size when the file was opened.
  package let byteCount: Int
  /// For C libraries that read by themselves; it stays ours to close.
  package let descriptor: CInt

  /// Opens a regular file.
  ///
  /// - Throws: `FileError.cannotRead`, also for folders, pipes and devices.
  package init(_ path: String) throws(FileError) {
    // O_NONBLOCK: opening a named pipe would otherwise wait for someone to write to it.
    let descriptor = unsafe path.withPath { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let reason = SystemReason.last
      close(descriptor)
      throw .cannotRead(path: path, reason: reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .cannotRead(path: path, reason: isFolder ? "it is a folder" : "it is not a file")
    }
    self.path = path
    self.descriptor = descriptor
    byteCount = Int(status.st_size)
  }

  /// Takes over an open descriptor of so many bytes, which may be memory; `path` is for messages.
  package init(adopting descriptor: CInt, byteCount: Int, path: String) {
    self.path = path
    self.descriptor = descriptor
    self.byteCount = byteCount
  }

  deinit { close(descriptor) }

  /// The `count` bytes from `offset` on; fewer, down to none, where the file ends before.
  ///
  /// - Throws: `FileError.cannotRead`.
  package func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    guard offset >= 0, offset < byteCount, count > 0 else { return [] }
    // No memory is taken for what the file does not have.
    var bytes = [UInt8](repeating: 0, count: min(count, byteCount - offset))
    let filled = try unsafe bytes.withUnsafeMutableBufferPointer {
      (buffer) throws(FileError) -> Int in
      try unsafe fill(UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }

  /// Fills `buffer` from `offset`, less only where the file ends; gives the bytes read.
  ///
  /// - Throws: `FileError.cannotRead`.
  package func fill(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(FileError) -> Int {
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotRead(path: path, reason: SystemReason.last)
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

extension InputFile {
  /// The same open file, for whoever reads from it later.
  ///
  /// - Throws: `FileError.cannotRead` where no more files can be open.
  package borrowing func duplicated() throws(FileError) -> InputFile {
    let copy = dup(descriptor)
    guard copy >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    return InputFile(adopting: copy, byteCount: byteCount, path: path)
  }
}
