import AviaryFiles
import CZlib
import Glibc

/// A member of an archive unpacked to a file in memory, without a name: for libraries that read files
/// and not bytes. It lasts as long as this object.
final class MemoryFile: Sendable {
  /// The archive and the member, for messages.
  private let label: String
  private let descriptor: CInt

  /// Unpacks a member.
  init(
    _ archive: ZipArchive, _ entry: ZipArchive.Entry, in file: borrowing InputFile
  ) throws(CheckpointError) {
    label = "\(file.path): \(entry.name)"
    descriptor = czlib_memory_file()
    guard descriptor >= 0 else {
      throw .cannotRead(path: label, reason: "no memory for the unpacked member")
    }
    do throws(CheckpointError) {
      let descriptor = descriptor
      try unsafe archive.unpack(entry, in: file) { (bytes) throws(CheckpointError) in
        var done = 0
        while done < bytes.count {
          let count = unsafe write(
            descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else {
            throw .cannotRead(
              path: file.path, reason: "no memory for \(entry.name): \(SystemReason.last)")
          }
          done += count
        }
      }
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Reads the member by a path. What is wrong with it is said of the archive, and the tensors keep
  /// this file alive.
  func read(
    _ body: (String) throws(CheckpointError) -> WeightsFile
  ) throws(CheckpointError) -> WeightsFile {
    var file: WeightsFile
    do throws(CheckpointError) {
      file = try body("/proc/self/fd/\(descriptor)")
    } catch {
      throw error.located(at: label)
    }
    let tensors = file.tensors
    file.tensors = TensorSource(tensors.descriptions) { [self] (position) throws(CheckpointError) in
      do throws(CheckpointError) {
        return try tensors.tensor(at: position)
      } catch {
        throw error.located(at: label)
      }
    }
    return file
  }
}

extension CheckpointError {
  /// The same error, said of another path.
  func located(at path: String) -> CheckpointError {
    switch self {
    case .cannotRead(_, let reason): .cannotRead(path: path, reason: reason)
    case .cannotWrite(_, let reason): .cannotWrite(path: path, reason: reason)
    case .notWeights(_, let found): .notWeights(path: path, found: found)
    case .unsupported(_, let what): .unsupported(path: path, what: what)
    case .truncated(_, let part, let expected, let found):
      .truncated(path: path, part: part, expected: expected, found: found)
    case .damaged(_, let part, let reason): .damaged(path: path, part: part, reason: reason)
    case .refused(_, let name): .refused(path: path, name: name)
    case .tooLarge(_, let part, let limit, let found):
      .tooLarge(path: path, part: part, limit: limit, found: found)
    case .noTensors(_, let found): .noTensors(path: path, found: found)
    case .hashMismatch(_, let expected, let found):
      .hashMismatch(path: path, expected: expected, found: found)
    case .newerVersion(_, let supported, let found):
      .newerVersion(path: path, supported: supported, found: found)
    case .readerFailed(_, let reason): .readerFailed(path: path, reason: reason)
    case .invalidName, .elementType: self
    }
  }
}
