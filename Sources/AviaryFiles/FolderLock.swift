import Glibc

/// A folder that one process at a time works in. Held until this value is gone, or the process.
package struct FolderLock: ~Copyable {
  private let descriptor: CInt

  /// Takes the folder.
  ///
  /// - Throws: `FileError.cannotWrite` where another process has it; `.cannotRead` where it cannot be
  ///   opened.
  package init(_ path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    // The folder itself is locked: a file for it would stay behind.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let reason = SystemReason.last
      close(descriptor)
      throw .cannotWrite(
        path: path, reason: isTaken ? "another process is at work in it" : reason)
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
