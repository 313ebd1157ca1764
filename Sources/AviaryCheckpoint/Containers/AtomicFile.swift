import Glibc

/// A file that appears under its name whole or not at all.
///
/// The bytes go to a nameless file in the same folder (or, where the file system has no such thing,
/// to a hidden one that is removed on failure); `commit` flushes it to the disk and renames it over
/// the target. A crash or a full disk before leaves what was there, and no litter.
package struct AtomicFile: ~Copyable {
  private let path: String
  /// The target with symbolic links resolved, so that a link stays a link.
  private let target: String
  private let descriptor: CInt
  /// The name of the temporary file, as long as it has one.
  private var temporary: String?

  package init(replacing path: String) throws(CheckpointError) {
    self.path = path
    target = resolved(path)
    var status = stat()
    let exists = unsafe stat(target, &status) == 0
    if exists, status.st_mode & S_IFMT != S_IFREG {
      throw .cannotWrite(path: path, reason: "something that is not a file is there")
    }
    let folder = folder(of: target)
    // O_TMPFILE as <fcntl.h> composes it: a macro of two macros, which Swift does not import. It
    // needs /proc to be given a name later.
    let nameless = O_RDWR | O_CLOEXEC | 0o20_000_000 | O_DIRECTORY
    var descriptor: CInt = -1
    if unsafe access("/proc/self/fd", X_OK) == 0 {
      descriptor = unsafe open(folder, nameless, 0o666)
    }
    if descriptor < 0 {
      let name = temporaryName(beside: target)
      descriptor = unsafe open(name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0o666)
      guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemError()) }
      temporary = name
    }
    self.descriptor = descriptor
    if exists { fchmod(descriptor, status.st_mode & 0o777) }
  }

  deinit {
    close(descriptor)
    if let temporary { _ = unsafe unlink(temporary) }
  }

  /// Appends bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotWrite(path: path, reason: systemError())
      }
      done += count
    }
  }

  /// Flushes the bytes to the disk and puts the file under its name.
  package consuming func commit() throws(CheckpointError) {
    guard fsync(descriptor) == 0 else {
      throw .cannotWrite(path: path, reason: systemError())
    }
    let name: String
    if let temporary {
      name = temporary
    } else {
      name = temporaryName(beside: target)
      let nameless = "/proc/self/fd/\(descriptor)"
      guard unsafe linkat(AT_FDCWD, nameless, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
        throw .cannotWrite(path: path, reason: systemError())
      }
      temporary = name
    }
    guard unsafe rename(name, target) == 0 else {
      throw .cannotWrite(path: path, reason: systemError())
    }
    temporary = nil
    // The rename itself is safe only once the folder is on the disk. A file system that cannot
    // flush a folder has done what it can.
    let folder = unsafe open(folder(of: target), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }
}

/// The path behind symbolic links; the path itself where nothing is there yet.
private func resolved(_ path: String) -> String {
  guard let real = unsafe realpath(path, nil) else { return path }
  defer { unsafe free(real) }
  return unsafe String(cString: real)
}

private func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// A hidden name in the target's folder that nobody else uses.
private func temporaryName(beside target: String) -> String {
  let random = String(UInt64.random(in: .min ... .max), radix: 36)
  return "\(folder(of: target))/.aviary-\(getpid())-\(random).partial"
}
