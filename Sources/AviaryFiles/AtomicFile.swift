import Glibc
package import SystemPackage

/// A file that appears under its name whole or not at all.
///
/// The bytes go to a nameless file in the same folder (or, where the file system has no such thing,
/// to a hidden one that is removed on failure); `commit` flushes it to the disk, renames it over
/// the target and flushes the folder. A crash or a full disk before leaves what was there, and no
/// litter.
package struct AtomicFile: ~Copyable {
  /// For C libraries that write by themselves; it stays ours to close.
  package let descriptor: CInt
  private let path: String
  /// The target with symbolic links resolved, so that a link stays a link.
  private let target: FilePath
  /// The name of the temporary file, as long as it has one.
  private var temporary: FilePath?
  /// Whether the bytes go to standard output in the end.
  private let isStandardOutput: Bool

  /// Creates the temporary file.
  ///
  /// - Parameter isNameless: False gives the file a hidden name from the start, as on file systems
  ///   that have no nameless files.
  /// - Throws: `FileError.cannotWrite`, also for folders, pipes and devices.
  package init(replacing path: String, isNameless: Bool = true) throws(FileError) {
    let target = try AtomicFile.resolved(path)
    var status = stat()
    let exists = unsafe target.withPlatformString { unsafe stat($0, &status) } == 0
    // Replacing a device or a folder by a file is never meant.
    if exists, status.st_mode & S_IFMT != S_IFREG {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .cannotWrite(path: path, reason: isFolder ? "it is a folder" : "it is not a file")
    }
    let folder = target.folder
    var descriptor: CInt = -1
    var temporary: FilePath?
    // It needs /proc to be given a name later.
    if isNameless, unsafe access("/proc/self/fd", X_OK) == 0 {
      // O_TMPFILE as <fcntl.h> composes it: a macro of two macros, which Swift does not import.
      let temporaryFile = 0o20_000_000 | O_DIRECTORY
      descriptor = unsafe folder.withPlatformString {
        unsafe open($0, O_RDWR | O_CLOEXEC | temporaryFile, 0o666)
      }
    }
    if descriptor < 0 {
      let name = AtomicFile.temporaryName(beside: target)
      descriptor = unsafe name.withPlatformString {
        unsafe open($0, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0o666)
      }
      guard descriptor >= 0 else {
        let reason = SystemReason.last
        let hasFolder = unsafe folder.withPlatformString { unsafe access($0, F_OK) } == 0
        throw .cannotWrite(path: path, reason: hasFolder ? reason : "there is no folder \(folder)")
      }
      temporary = name
    }
    // A value that cannot be copied must not be left half made: nothing throws from here on.
    (self.path, self.target) = (path, target)
    (self.descriptor, self.temporary) = (descriptor, temporary)
    isStandardOutput = false
    // A file that is replaced hands its permissions on, as far as the system lets it.
    if exists { fchmod(descriptor, status.st_mode & 0o777) }
  }

  /// Creates a file without a name, which `commit` copies to standard output: that too has all bytes
  /// or none, and formats that write their beginning last can be written.
  ///
  /// - Throws: `FileError.cannotWrite`, also for a terminal.
  package init(standardOutput name: String = "standard output") throws(FileError) {
    guard isatty(STDOUT_FILENO) == 0 else {
      throw .cannotWrite(path: name, reason: "it is a terminal; redirect it to a file")
    }
    let descriptor = try NamelessFile.make(name)
    (path, target, temporary) = (name, FilePath(), nil)
    (self.descriptor, isStandardOutput) = (descriptor, true)
  }

  deinit {
    close(descriptor)
    if let temporary { _ = unsafe temporary.withPlatformString { unsafe unlink($0) } }
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
    if isStandardOutput { return try copyToStandardOutput() }
    guard isTemporary || fsync(descriptor) == 0 else {
      throw .cannotWrite(path: path, reason: SystemReason.last)
    }
    let name: FilePath
    if let temporary {
      name = temporary
    } else {
      name = AtomicFile.temporaryName(beside: target)
      let nameless = "/proc/self/fd/\(descriptor)"
      let status = unsafe name.withPlatformString {
        unsafe linkat(AT_FDCWD, nameless, AT_FDCWD, $0, AT_SYMLINK_FOLLOW)
      }
      guard status == 0 else {
        throw .cannotWrite(path: path, reason: SystemReason.last)
      }
      temporary = name
    }
    let status = unsafe name.withPlatformString { name in
      unsafe target.withPlatformString { unsafe rename(name, $0) }
    }
    guard status == 0 else {
      throw .cannotWrite(path: path, reason: SystemReason.last)
    }
    temporary = nil
    if isTemporary { return }
    // The rename itself is safe only once the folder is on the disk. A file system that cannot
    // flush a folder has done what it can.
    let folder = unsafe target.folder.withPlatformString {
      unsafe open($0, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    }
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  private func copyToStandardOutput() throws(FileError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var offset = 0
    while true {
      let count = unsafe pread(descriptor, &buffer, buffer.count, off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .cannotWrite(path: path, reason: SystemReason.last) }
      if count == 0 { return }
      try NamelessFile.write(buffer[..<count], to: STDOUT_FILENO, path)
      offset += count
    }
  }

  /// The path behind symbolic links, where what is written to `path` goes: also behind a link that
  /// leads to nothing yet; the path itself where nothing is there. Byte for byte, for a link may
  /// lead to a name that is not UTF-8.
  ///
  /// - Throws: `FileError.cannotWrite` for links that lead in a circle.
  package static func resolved(_ path: String) throws(FileError) -> FilePath {
    // A path that ends in a slash is a folder's: no file is put beside it.
    var place = path.hasSuffix("/") ? FilePath(text: path).appending(".") : FilePath(text: path)
    // As many links as Linux itself follows.
    for _ in 0...40 {
      if let real = unsafe place.withPlatformString({ unsafe realpath($0, nil) }) {
        defer { unsafe free(real) }
        return unsafe FilePath(platformString: real)
      }
      if errno == ELOOP { throw .cannotWrite(path: path, reason: SystemReason.last) }
      // Nothing is there: the name of a new file, or of a link to one.
      var buffer = [CInterop.PlatformChar](repeating: 0, count: Int(PATH_MAX) + 1)
      let count = unsafe place.withPlatformString { unsafe readlink($0, &buffer, buffer.count - 1) }
      guard count > 0 else { return place }
      place = unsafe place.folder.pushing(FilePath(platformString: Array(buffer[..<count]) + [0]))
    }
    throw .cannotWrite(path: path, reason: SystemReason.text(ELOOP))
  }

  /// The bytes of the path to which a file of this path is written: the same for all paths that lead
  /// there, through links, by `.` and `..`, and where folders are yet to be made.
  ///
  /// - Throws: `FileError.cannotWrite` for links that lead in a circle.
  package static func canonical(_ path: String) throws(FileError) -> [UInt8] {
    let target = try resolved(path)
    var (folder, place) = (target.folder, target)
    var names = [target.lastComponent].compactMap(\.self)
    while true {
      if let real = unsafe folder.withPlatformString({ unsafe realpath($0, nil) }) {
        defer { unsafe free(real) }
        place = unsafe FilePath(platformString: real).appending(names.reversed())
        break
      }
      guard let name = folder.lastComponent, folder != folder.folder else { break }
      names.append(name)
      folder = folder.folder
    }
    return unsafe place.lexicallyNormalized().withPlatformString { text in
      unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
    }
  }

  /// A hidden name in the target's folder that nobody else uses.
  package static func temporaryName(
    beside target: FilePath, ending: String = "partial"
  ) -> FilePath {
    return target.folder.appending(".aviary-\(getpid())-\(RandomName.text).\(ending)")
  }
}
