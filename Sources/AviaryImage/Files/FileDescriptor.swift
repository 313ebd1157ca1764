import Glibc

/// A file open for reading, closed with the value.
struct FileDescriptor: ~Copyable {
  let raw: Int32
  /// Bytes in the file when it was opened.
  let byteCount: Int

  /// Opens a regular file.
  ///
  /// - Throws: `ImageError.cannotRead` with the system's reason, also for folders, pipes and devices.
  init(path: String) throws(ImageError) {
    // Not blocking: opening a pipe that nobody writes to must not hang.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      close(descriptor)
      throw .cannotRead(path: path, reason: isFolder ? "it is a folder" : "it is not a file")
    }
    raw = descriptor
    byteCount = Int(status.st_size)
  }

  /// Up to `count` bytes from `offset` on; fewer where the file ends, or cannot be read.
  func bytes(at offset: Int, count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let rest = unsafe UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
        let got = unsafe pread(raw, rest.baseAddress, rest.count, off_t(offset + filled))
        if got <= 0 { break }
        filled += got
      }
    }
  }

  deinit { close(raw) }
}

/// The system's words for why a call failed.
enum SystemReason {
  /// The reason of the call that failed last on this thread.
  static var last: String { text(errno) }

  static func text(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    unsafe strerror_r(code, &buffer, buffer.count)
    let text = String(
      decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    // It goes on a sentence.
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
