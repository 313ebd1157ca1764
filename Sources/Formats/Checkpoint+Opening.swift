public import AviaryCheckpoint
public import AviaryContainers
import AviaryFiles
import Glibc

extension ProbedFile {
  /// What the file says, if it is a native checkpoint.
  ///
  /// - Throws: `CheckpointError.notWeights` if it is something else.
  fileprivate func checkpointTree() throws(CheckpointError) -> HDF5Tree {
    guard format == .aviaryCheckpoint, let tree else {
      throw .notWeights(path: path, found: format.label)
    }
    return tree
  }
}

extension Checkpoint {
  /// Reads a native checkpoint.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - verify: whether the content hash is computed and compared with the stored one.
  ///   - hdf5: who reads the file.
  /// - Throws: `CheckpointError`: `.notWeights` if the file is something else, `.hashMismatch` if
  ///   the tensors are not those that were written, `.newerVersion`, `.readerFailed` if the helper
  ///   program could not read it, and what is wrong with the file itself.
  public init(
    contentsOf path: String, verify: Bool = true, hdf5: HDF5Access = .isolated
  ) throws(CheckpointError) {
    try self.init(contentsOf: try ProbedFile(path, hdf5: hdf5), verify: verify)
  }

  /// Reads a native checkpoint whose format was detected already.
  ///
  /// - Throws: as `init(contentsOf:verify:hdf5:)`.
  public init(contentsOf file: ProbedFile, verify: Bool = true) throws(CheckpointError) {
    try self.init(contentsOf: try file.checkpointTree(), verify: verify)
  }
}

extension CheckpointFile {
  /// Opens a native checkpoint; no weights are read.
  ///
  /// - Throws: `CheckpointError`, as `Checkpoint.init(contentsOf:verify:hdf5:)`; the hash is not
  ///   verified.
  public init(_ path: String, hdf5: HDF5Access = .isolated) throws(CheckpointError) {
    try self.init(try ProbedFile(path, hdf5: hdf5))
  }

  /// Opens a native checkpoint whose format was detected already.
  ///
  /// - Throws: as `init(_:hdf5:)`.
  public init(_ file: ProbedFile) throws(CheckpointError) {
    try self.init(try file.checkpointTree())
  }
}

extension CheckpointSummary {
  /// Reads the description of a native checkpoint.
  ///
  /// - Throws: `CheckpointError`, as `Checkpoint.init(contentsOf:verify:hdf5:)`; the hash is not
  ///   verified.
  public init(of path: String, hdf5: HDF5Access = .isolated) throws(CheckpointError) {
    try self.init(of: try ProbedFile(path, hdf5: hdf5))
  }

  /// Reads the description of a native checkpoint whose format was detected already.
  ///
  /// - Throws: as `init(of:hdf5:)`.
  public init(of file: ProbedFile) throws(CheckpointError) {
    try self.init(of: try file.checkpointTree())
  }
}

/// A member of an archive for libraries that read files and not bytes: a stored one where it lies,
/// a packed one from a file that has a name for as long as it takes to open it.
enum UnpackedMember {
  /// Reads a member by a path, and where in that file it is if it is a part of it. What is wrong
  /// with it is said of the archive.
  ///
  /// - Parameter body: opens the file, and keeps it open for what it reads later.
  static func read(
    _ entry: ZipArchive.Entry, of archive: ZipArchive, in file: borrowing InputFile,
    _ body: (String, Range<Int>?) throws(CheckpointError) -> WeightsFile
  ) throws(CheckpointError) -> WeightsFile {
    let label = "\(file.path): \(entry.name)"
    if entry.method == 0 {
      let start = try archive.contentOffset(of: entry, in: file)
      guard entry.byteCount <= file.byteCount - start else {
        throw .truncated(
          path: file.path, part: entry.name, expected: entry.byteCount,
          found: max(file.byteCount - start, 0))
      }
      return try labelled(label, file.path, start..<start + entry.byteCount, body)
    }
    let (path, descriptor) = try temporaryFile(label)
    defer {
      close(descriptor)
      unsafe unlink(path)
    }
    try unsafe archive.unpack(entry, in: file) { (bytes) throws(CheckpointError) in
      var done = 0
      while done < bytes.count {
        let count = unsafe write(
          descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw .cannotRead(path: label, reason: SystemReason.last) }
        done += count
      }
    }
    return try labelled(label, path, nil, body)
  }

  private static func labelled(
    _ label: String, _ path: String, _ range: Range<Int>?,
    _ body: (String, Range<Int>?) throws(CheckpointError) -> WeightsFile
  ) throws(CheckpointError) -> WeightsFile {
    var read: WeightsFile
    do throws(CheckpointError) {
      read = try body(path, range)
    } catch {
      throw error.located(at: label)
    }
    let tensors = read.tensors
    read.tensors = TensorSource(tensors.descriptions) { (position) throws(CheckpointError) in
      do throws(CheckpointError) {
        return try tensors.tensor(at: position)
      } catch {
        throw error.located(at: label)
      }
    }
    return read
  }

  /// A new empty file that no one else can open.
  private static func temporaryFile(
    _ label: String
  ) throws(CheckpointError) -> (path: String, descriptor: CInt) {
    let stated = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
    for folder in [stated, "/tmp", "/dev/shm"].compactMap({ $0 }) {
      var template = Array("\(folder)/aviary-XXXXXX".utf8CString)
      let descriptor = unsafe mkstemp(&template)
      guard descriptor >= 0 else { continue }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let name = template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      return (String(decoding: name, as: UTF8.self), descriptor)
    }
    throw .cannotRead(path: label, reason: "no folder for the unpacked member (TMPDIR says which)")
  }
}
