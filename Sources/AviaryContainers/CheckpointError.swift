package import AviaryFiles

/// What can be wrong with a file of weights, or with writing one.
///
/// `path` is the file as the caller named it; `part` says what inside it is meant.
public enum CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The operating system does not let the file be read.
  case cannotRead(path: String, reason: String)
  /// The operating system does not let the file be written; what was there before is untouched.
  case cannotWrite(path: String, reason: String)
  /// The file is something else; `found` says what.
  case notWeights(path: String, found: String)
  /// The file is sound and known, and this version does not read that.
  case unsupported(path: String, what: String)
  /// The file ends too early.
  case truncated(path: String, part: String, expected: Int, found: Int)
  /// The file contradicts itself, or its format.
  case damaged(path: String, part: String, reason: String)
  /// A pickle names something that only an attack would; nothing was run.
  case refused(path: String, name: String)
  /// A size in the file is beyond what the file can hold, or what Aviary is willing to hold.
  case tooLarge(path: String, part: String, limit: Int, found: Int)
  /// The file is sound, and there are no named tensors in it where any known layout has them.
  case noTensors(path: String, found: String)
  /// The file has no dictionary of tensors under the key that was asked for.
  case noPart(path: String, name: String, known: [String])
  /// The tensors are not those that the file was written with.
  case hashMismatch(path: String, expected: String, found: String)
  /// A newer Aviary wrote the file.
  case newerVersion(path: String, supported: Int, found: Int)
  /// The program that reads HDF5 files apart from this one is absent, crashed, took too long or
  /// answered nonsense, as it may do for a crafted file.
  case readerFailed(path: String, reason: String)
  /// A tensor's name that HDF5 cannot hold as one link.
  case invalidName(String)
  /// A tensor's element type that the native format does not have.
  case elementType(name: String, found: String)

  /// The same as this module says it.
  package init(_ error: FileError) {
    self =
      switch error {
      case .cannotRead(let path, let reason): .cannotRead(path: path, reason: reason)
      case .cannotWrite(let path, let reason): .cannotWrite(path: path, reason: reason)
      }
  }

  /// One line: the thing, and what is wrong with it.
  public var description: String { text.printable }

  /// The message as the names in the file make it, which may hold anything.
  private var text: String {
    switch self {
    case .cannotRead(let path, let reason):
      FileError.cannotRead(path: path, reason: reason).description
    case .cannotWrite(let path, let reason):
      FileError.cannotWrite(path: path, reason: reason).description
    case .notWeights(let path, let found):
      "\(path): expected a file of weights, found \(found)"
    case .unsupported(let path, let what): "\(path): \(what) is not supported"
    case .truncated(let path, let part, let expected, let found):
      "\(path): truncated: \(part): expected \(expected) bytes, found \(found)"
    case .damaged(let path, let part, let reason): "\(path): damaged: \(part): \(reason)"
    case .refused(let path, let name):
      "\(path): the pickle names \(name), which no weights file needs; refused, nothing was run"
    case .tooLarge(let path, let part, let limit, let found):
      "\(path): \(part): \(found) exceeds the limit of \(limit)"
    case .noTensors(let path, let found):
      "\(path): expected named tensors, found \(found)"
    case .noPart(let path, let name, let known):
      "\(path): it has no tensors under '\(name)'"
        + (known.isEmpty ? "; leave out --part" : "; it has \(known.joined(separator: ", "))")
    case .hashMismatch(let path, let expected, let found):
      "\(path): the tensors were changed: their content hash is \(found), the file states \(expected)"
    case .newerVersion(let path, let supported, let found):
      "\(path): is of checkpoint format version \(found), and this aviary reads up to version "
        + "\(supported); use a newer one"
    case .readerFailed(let path, let reason):
      "\(path): the isolated reader of HDF5 failed: \(reason)"
    case .invalidName(let name):
      "\(String(reflecting: name)): cannot name a tensor; a name is not empty, is not '.' and contains no "
        + "'/' or NUL"
    case .elementType(let name, let found):
      "\(name): expected element type float32, float16, bfloat16, int8 or int64, found \(found)"
    }
  }
}

extension CheckpointError {
  /// The same error, said of another path.
  package func located(at path: String) -> CheckpointError {
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
    case .noPart(_, let name, let known): .noPart(path: path, name: name, known: known)
    case .hashMismatch(_, let expected, let found):
      .hashMismatch(path: path, expected: expected, found: found)
    case .newerVersion(_, let supported, let found):
      .newerVersion(path: path, supported: supported, found: found)
    case .readerFailed(_, let reason): .readerFailed(path: path, reason: reason)
    case .invalidName, .elementType: self
    }
  }
}
