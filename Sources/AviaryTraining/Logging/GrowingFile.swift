internal import AviaryFiles
internal import Glibc

/// A file that others read while it is written: every piece is handed to the system at once, whole, so
/// that a process that is killed leaves all it wrote.
struct GrowingFile: ~Copyable {
  private let path: String
  private let descriptor: CInt

  /// Opens the file at its end, and makes it where it is not there.
  ///
  /// - Parameter size: how much is kept of what is there, in bytes.
  /// - Throws: `TrainingError.cannotWrite`.
  init(_ path: String, keeping size: Int) throws(TrainingError) {
    // Of what lies behind a link the training knows nothing, and must not cut it off.
    let descriptor = unsafe open(
      path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else {
      let reason = errno == ELOOP ? "it is a symbolic link" : SystemReason.last
      throw .cannotWrite(path: path, reason: reason)
    }
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      let reason = SystemReason.last
      close(descriptor)
      throw .cannotWrite(path: path, reason: reason)
    }
    (self.path, self.descriptor) = (path, descriptor)
  }

  deinit { close(descriptor) }

  /// Appends bytes.
  ///
  /// - Throws: `TrainingError.cannotWrite`; a part may have been written then, which is taken away as
  ///   far as the system lets it.
  func append(_ bytes: [UInt8]) throws(TrainingError) {
    let start = lseek(descriptor, 0, SEEK_END)
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes[done...].withUnsafeBytes {
        unsafe write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        let reason = SystemReason.last
        if start >= 0 { _ = ftruncate(descriptor, start) }
        throw .cannotWrite(path: path, reason: reason)
      }
      done += count
    }
  }
}
