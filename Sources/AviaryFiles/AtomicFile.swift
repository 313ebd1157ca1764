import Glibc

/// A file that appears under its name whole or not at all.
///
/// The bytes go to a nameless file in the same folder (or, where the file system has no such thing,
/// to a hidden one that is removed on failure); `commit` flushes it to the disk, renames it over the
/// target and flushes the folder. A crash or a full disk before leaves what was there, and no
/// litter.
package struct AtomicFile: ~Copyable {
  /// For C libraries that write by themselves; it stays ours to close.
  package let descriptor: CInt
  private let path: String
  /// The target with symbolic links resolved, so that a link stays a link.
  private let target: String
  /// The name of the temporary file, as long as it has one.
  private var temporary: String?

  /// Creates the temporary file.
  ///
  /// - Parameter isNameless: False gives the file a hidden name from the start, as on file systems
  ///   that have no nameless files.
  /// - Throws: `FileError.cannotWrite`, also for folders, pipes and devices.
  package init(replacing path: String, isNameless: Bool = true) throws(FileError) {
    let target = try AtomicFile.resolved(path)
    var status = stat()
    let exists = unsafe stat(target, &status) == 0
    // Replacing a device or a folder by a file is never meant.
    if exists, status.st_mode & S_IFMT != S_IFREG {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .cannotWrite(path: path, reason: isFolder ? "it is a folder" : "it is not a file")
    }
    let folder = AtomicFile.folder(of: target)
    var descriptor: CInt = -1
    var temporary: String?
    // It needs /proc to be given a name later.
    if isNameless, unsafe access("/proc/self/fd", X_OK) == 0 {
      // O_TMPFILE as <fcntl.h> composes it: a macro of two macros, which Swift does not import.
      let temporaryFile = 0o20_000_000 | O_DIRECTORY
      descriptor = unsafe open(folder, O_RDWR | O_CLOEXEC | temporaryFile, 0o666)
    }
    if descriptor < 0 {
      let name = AtomicFile.temporaryName(beside: target)
      descriptor = unsafe open(name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0o666)
      guard descriptor >= 0 else {
        let reason = SystemReason.last
        let hasFolder = unsafe access(folder, F_OK) == 0
        throw .cannotWrite(path: path, reason: hasFolder ? reason : "there is no folder \(folder)")
      }
      temporary = name
    }
    // A value that cannot be copied must not be left half made: nothing throws from here on.
    (self.path, self.target) = (path, target)
    (self.descriptor, self.temporary) = (descriptor, temporary)
    // A file that is replaced hands its permissions on, as far as the system lets it.
    if exists { fchmod(descriptor, status.st_mode & 0o777) }
  }

  deinit {
    close(descriptor)
    if let temporary { _ = unsafe unlink(temporary) }
  }

  /// Appends bytes.
  ///
  /// - Throws: `FileError.cannotWrite`.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      try unsafe write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Appends bytes.
  ///
  /// - Throws: `FileError.cannotWrite`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe Glibc.write(
        descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotWrite(path: path, reason: SystemReason.last)
      }
      done += count
    }
  }

  /// Writes over bytes that are there; what is appended later goes where it would have gone.
  ///
  /// - Throws: `FileError.cannotWrite`.
  package func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes[done...].withUnsafeBytes {
        unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset + done))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotWrite(path: path, reason: SystemReason.last)
      }
      done += count
    }
  }

  /// Flushes the bytes to the disk and puts the file under its name. Whatever else writes to the
  /// descriptor must have emptied its buffers.
  ///
  /// - Parameter isTemporary: whether the file is gone soon and need not outlive a crash.
  /// - Throws: `FileError.cannotWrite`.
  package consuming func commit(isTemporary: Bool = false) throws(FileError) {
    guard isTemporary || fsync(descriptor) == 0 else {
      throw .cannotWrite(path: path, reason: SystemReason.last)
    }
    let name: String
    if let temporary {
      name = temporary
    } else {
      name = AtomicFile.temporaryName(beside: target)
      let nameless = "/proc/self/fd/\(descriptor)"
      guard unsafe linkat(AT_FDCWD, nameless, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
        throw .cannotWrite(path: path, reason: SystemReason.last)
      }
      temporary = name
    }
    guard unsafe rename(name, target) == 0 else {
      throw .cannotWrite(path: path, reason: SystemReason.last)
    }
    temporary = nil
    if isTemporary { return }
    // The rename itself is safe only once the folder is on the disk. A file system that cannot
    // flush a folder has done what it can.
    let folder = unsafe open(AtomicFile.folder(of: target), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// The path behind symbolic links, where what is written to `path` goes: also behind a link that
  /// leads to nothing yet; the path itself where nothing is there.
  ///
  /// - Throws: `FileError.cannotWrite` for links that lead in a circle, or to a name that is no UTF-8.
  package static func resolved(_ path: String) throws(FileError) -> String {
    var place = path
    // As many links as Linux itself follows.
    for _ in 0...40 {
      if let real = unsafe realpath(place, nil) {
        defer { unsafe free(real) }
        guard let text = unsafe String(validatingCString: real) else {
          throw .cannotWrite(path: path, reason: "its link leads to a name that is not UTF-8")
        }
        return text
      }
      if errno == ELOOP { throw .cannotWrite(path: path, reason: SystemReason.last) }
      // Nothing is there: the name of a new file, or of a link to one.
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = unsafe readlink(place, &buffer, buffer.count)
      guard count > 0 else { return place }
      let link = buffer.prefix(count).map(UInt8.init(bitPattern:))
      guard let next = String(validating: link, as: UTF8.self) else {
        throw .cannotWrite(path: path, reason: "its link leads to a name that is not UTF-8")
      }
      place = next.hasPrefix("/") ? next : "\(folder(of: place))/\(next)"
    }
    throw .cannotWrite(path: path, reason: SystemReason.text(ELOOP))
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A hidden name in the target's folder that nobody else uses.
  private static func temporaryName(beside target: String) -> String {
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    return "\(folder(of: target))/.aviary-\(getpid())-\(random).partial"
  }
}
