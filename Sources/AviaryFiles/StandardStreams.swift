import Glibc

extension InputFile {
  /// What comes in by standard input, up to its end, as a file.
  ///
  /// - Parameter limit: the most bytes that are taken.
  /// - Throws: `FileError.cannotRead`, also for a terminal: nobody types an image.
  package static func standardInput(limit: Int = 1 << 32) throws(FileError) -> InputFile {
    let name = "standard input"
    guard isatty(STDIN_FILENO) == 0 else {
      throw .cannotRead(path: name, reason: "it is a terminal; redirect a file to it")
    }
    let copy = try NamelessFile.make(name)
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var total = 0
    do throws(FileError) {
      while true {
        let count = unsafe read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw .cannotRead(path: name, reason: SystemReason.last) }
        if count == 0 { break }
        total += count
        guard total <= limit else {
          throw .cannotRead(path: name, reason: "more than \(limit >> 20) MiB come in")
        }
        try NamelessFile.write(buffer[..<count], to: copy, name)
      }
    } catch {
      close(copy)
      throw error
    }
    return InputFile(adopting: copy, byteCount: total, path: name)
  }
}

/// Files without a name.
enum NamelessFile {
  /// An empty one in the folder for temporary files, to be closed by the caller.
  static func make(_ name: String) throws(FileError) -> CInt {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var path = Array("\(folder)/aviary-XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&path)
    guard descriptor >= 0 else { throw .cannotWrite(path: name, reason: SystemReason.last) }
    // Nobody else needs it, and it is gone with the descriptor.
    _ = unsafe unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  /// Writes all bytes to a descriptor.
  static func write(
    _ bytes: ArraySlice<UInt8>, to descriptor: CInt, _ name: String
  ) throws(FileError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .cannotWrite(path: name, reason: SystemReason.last) }
      rest = rest.dropFirst(count)
    }
  }
}
