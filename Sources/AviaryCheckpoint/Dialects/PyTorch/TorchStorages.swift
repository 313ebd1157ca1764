import AviaryFiles
import AviaryTensor

/// The storages of a PyTorch file, read when a tensor asks for them: a training checkpoint's
/// optimiser state, usually twice the weights, is never touched.
struct TorchStorages: ~Copyable {
  let file: InputFile
  private let places: Places
  private var loaded: [String: [UInt8]] = [:]
  /// The bytes that all tensors together may still take. Strides of zero let a few bytes stand for
  /// a tensor of any size; honest files do not multiply much.
  private var allowance: Int
  /// The bytes of the file that no storage has taken yet.
  private var unread: Int

  /// Where the storages are.
  enum Places {
    /// Members of a zip archive, with what comes before the key.
    case archive(ZipArchive, prefix: String)
    /// Ranges of the file.
    case ranges([String: Range<Int>])
  }

  init(_ file: consuming InputFile, _ places: Places) {
    allowance = 8 * file.byteCount + 64 << 20
    unread = file.byteCount
    self.file = file
    self.places = places
  }

  /// The tensor's elements, contiguous.
  mutating func tensor(_ view: TorchTensor, name: String) throws(CheckpointError) -> Tensor {
    let path = file.path
    let size = view.elementType.byteCount
    guard let count = view.count, let end = view.end, let stored = view.storage.byteCount else {
      throw .damaged(path: path, part: name, reason: "shape \(view.shape) overflows")
    }
    let (needed, tooFar) = end.multipliedReportingOverflow(by: size)
    guard !tooFar, needed <= stored else {
      throw .damaged(
        path: path, part: name,
        reason: "shape \(view.shape), strides \(view.strides), offset \(view.offset): a storage of "
          + "\(tooFar ? Int.max : needed) bytes expected, \(stored) found")
    }
    guard count * size <= allowance else {
      throw .tooLarge(path: path, part: "\(name), bytes", limit: allowance, found: count * size)
    }
    allowance -= count * size
    let bytes = try bytes(of: view.storage, byteCount: stored)
    do {
      return try view.gather(from: bytes)
    } catch {
      throw .damaged(path: path, part: name, reason: error.description)
    }
  }

  private mutating func bytes(
    of storage: TorchStorage, byteCount: Int
  ) throws(CheckpointError) -> [UInt8] {
    if let bytes = loaded[storage.key] {
      try requireSize(bytes.count, byteCount, storage)
      return bytes
    }
    let bytes: [UInt8]
    let part = "storage \(storage.key)"
    switch places {
    case .archive(let archive, let prefix):
      guard let entry = archive[prefix + storage.key] else {
        throw .damaged(path: file.path, part: part, reason: "not in the archive")
      }
      try requireSize(entry.byteCount, byteCount, storage)
      bytes = try archive.content(of: entry, in: file)
    case .ranges(let ranges):
      guard let range = ranges[storage.key] else {
        throw .damaged(path: file.path, part: part, reason: "not in the file")
      }
      try requireSize(range.count, byteCount, storage)
      bytes = try file.read(at: range.lowerBound, count: range.count, part: part)
    }
    // Members of an archive may overlap, which would let a small file fill the memory.
    unread -= bytes.count
    guard unread >= 0 else {
      throw .damaged(path: file.path, part: part, reason: "the storages together exceed the file")
    }
    loaded[storage.key] = bytes
    return bytes
  }

  private func requireSize(_ found: Int, _ expected: Int, _ storage: TorchStorage)
    throws(CheckpointError)
  {
    guard found == expected else {
      throw .damaged(
        path: file.path, part: "storage \(storage.key)",
        reason: "\(expected) bytes expected, \(found) found")
    }
  }
}
