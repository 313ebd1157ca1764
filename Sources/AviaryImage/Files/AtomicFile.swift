import Glibc

/// A file that appears under its name only when it is complete.
///
/// It is written under another name in the same folder, flushed to the disk, renamed, and the folder
/// flushed; a value that goes away uncommitted takes its temporary file with it. At any moment a
/// crash leaves the file that was there before whole, or the new one whole.
struct AtomicFile: ~Copyable {
  let descriptor: Int32
  private let path: String
  /// Where the file really goes: the path itself, or what it links to.
  private let target: String
  private let temporary: String
  private var isCommitted: Bool

  /// Creates the temporary file.
  ///
  /// - Throws: `ImageError.cannotWrite`.
  init(path: String) throws(ImageError) {
    var status = stat()
    let exists = unsafe stat(path, &status) == 0
    // Replacing a device or a folder by a picture is never meant.
    if exists, status.st_mode & S_IFMT != S_IFREG {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .cannotWrite(path: path, reason: isFolder ? "it is a folder" : "it is not a file")
    }
    let target = exists ? AtomicFile.resolved(path) : path
    let folder = AtomicFile.folder(of: target)
    let name = String(UInt64.random(in: .min ... .max), radix: 16)
    let temporary = "\(folder)/.aviary-\(name).part"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let reason = errno == ENOENT ? "there is no folder \(folder)" : SystemReason.last
      throw .cannotWrite(path: path, reason: reason)
    }
    // A file that is replaced hands its permissions on, as far as the system lets it.
    if exists { _ = fchmod(descriptor, status.st_mode & 0o777) }
    self.path = path
    self.target = target
    self.temporary = temporary
    self.descriptor = descriptor
    isCommitted = false
  }

  /// Puts the file in its place. Whatever writes to it must have emptied its buffers.
  ///
  /// - Throws: `ImageError.cannotWrite`.
  mutating func commit() throws(ImageError) {
    guard fsync(descriptor) == 0, unsafe rename(temporary, target) == 0 else {
      throw .cannotWrite(path: path, reason: SystemReason.last)
    }
    isCommitted = true
    let folder = unsafe open(AtomicFile.folder(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    // Some file systems cannot flush a folder; the file is in its place all the same.
    _ = fsync(folder)
    close(folder)
  }

  deinit {
    close(descriptor)
    if !isCommitted { unsafe unlink(temporary) }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Links followed, so that the file behind a link is replaced and not the link.
  private static func resolved(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
