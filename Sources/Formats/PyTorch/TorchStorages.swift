import AviaryContainers
import AviaryFiles
import AviaryTensor
import Synchronization

/// The storages of a PyTorch file, read when a tensor asks for them: a training checkpoint's
/// optimiser state, usually twice the weights, is never touched.
struct TorchStorages: ~Copyable {
  let file: InputFile
  private let places: Places
  /// The storage that was read last, for the next view of it.
  private let last = Mutex<(key: String, bytes: [UInt8])>(("", []))

  /// Where the storages are.
  enum Places {
    /// Members of a zip archive, with what comes before the key.
    case archive(ZipArchive, prefix: String)
    /// Ranges of the file.
    case ranges([String: Range<Int>])
    /// Bytes in the pickle.
    case pickle(TorchObjects)
  }

  init(_ file: consuming InputFile, _ places: Places) {
    self.file = file
    self.places = places
  }

  /// Checks that views lie inside their storages, the storages inside the file, and that all together
  /// are no more than an honest file of this size would hold.
  func check(_ views: [(name: String, tensor: TorchTensor)]) throws(CheckpointError) {
    // Strides of zero let a few bytes stand for a tensor of any size; honest files do not multiply
    // much.
    let limit = 8 * contentByteCount + 64 << 20
    var total = 0
    var unread = contentByteCount
    var seen: Set<String> = []
    for (name, view) in views {
      let size = view.elementType.byteCount
      guard let count = view.count, let end = view.end, let stored = view.storage.byteCount else {
        throw .damaged(path: file.path, part: name, reason: "shape \(view.shape) overflows")
      }
      let (needed, tooFar) = end.multipliedReportingOverflow(by: size)
      guard !tooFar, needed <= stored else {
        throw .damaged(
          path: file.path, part: name,
          reason:
            "shape \(view.shape), strides \(view.strides), offset \(view.offset): a storage of "
            + "\(tooFar ? Int.max : needed) bytes expected, \(stored) found")
      }
      total += count * size
      guard total <= limit else {
        throw .tooLarge(path: file.path, part: "\(name), bytes", limit: limit, found: total)
      }
      try requireSize(try byteCount(of: view.storage), stored, view.storage)
      guard seen.insert(view.storage.key).inserted else { continue }
      // Members of an archive may overlap, which would let a small file fill the memory.
      unread -= stored
      guard unread >= 0 else {
        throw .damaged(
          path: file.path, part: "storage \(view.storage.key)",
          reason: "the storages together exceed the file")
      }
    }
  }

  /// The bytes that the file holds, its members unpacked: the archive has refused what no honest
  /// packing gives.
  private var contentByteCount: Int {
    switch places {
    case .archive(let archive, _):
      archive.entries.reduce(0) { sum, entry in
        let (next, overflow) = sum.addingReportingOverflow(entry.byteCount)
        return overflow ? Int.max >> 8 : min(next, Int.max >> 8)
      }
    case .ranges, .pickle: file.byteCount
    }
  }

  /// The elements of a view that was checked, contiguous.
  func tensor(_ view: TorchTensor, name: String) throws(CheckpointError) -> Tensor {
    if let tensor = try whole(view, name) { return tensor }
    let bytes = try bytes(of: view.storage)
    do {
      return try view.gather(from: bytes)
    } catch {
      throw .damaged(path: file.path, part: name, reason: error.description)
    }
  }

  /// The tensor of a view that is all of a storage, as nearly all are, read where it stays; nil for
  /// other views, and for storages that do not lie in the file as they are.
  private func whole(_ view: TorchTensor, _ name: String) throws(CheckpointError) -> Tensor? {
    guard view.isContiguous, view.offset == 0, let count = view.count, count > 0,
      count * view.elementType.byteCount == view.storage.byteCount
    else { return nil }
    let start: Int
    var part = "storage \(view.storage.key)"
    var checksum: UInt32?
    switch places {
    case .archive(let archive, let prefix):
      let entry = try entry(view.storage, archive, prefix)
      guard entry.method == 0 else { return nil }
      start = try archive.contentOffset(of: entry, in: file)
      part = entry.name
      if entry.crc != 0 { checksum = entry.crc }
    case .ranges(let ranges): start = try range(view.storage, ranges).lowerBound
    case .pickle: return nil
    }
    let tensor = try file.tensor(
      at: start, shape: view.shape, elementType: view.elementType, part: part)
    if let checksum, unsafe tensor.withUnsafeBytes({ unsafe CRC32.of($0) }) != checksum {
      throw .damaged(path: file.path, part: part, reason: "the checksum does not agree")
    }
    return tensor
  }

  private func bytes(of storage: TorchStorage) throws(CheckpointError) -> [UInt8] {
    let recent = last.withLock { $0 }
    if recent.key == storage.key, !recent.bytes.isEmpty { return recent.bytes }
    let bytes: [UInt8]
    switch places {
    case .archive(let archive, let prefix):
      bytes = try archive.content(of: entry(storage, archive, prefix), in: file)
    case .ranges(let ranges):
      let range = try range(storage, ranges)
      bytes = try file.read(
        at: range.lowerBound, count: range.count, part: "storage \(storage.key)")
    case .pickle(let objects):
      bytes = objects.bytes(ofStorage: storage.key) ?? []
    }
    // Text that stands for bytes may hold characters that are none.
    try requireSize(bytes.count, storage.byteCount ?? .max, storage)
    last.withLock { $0 = (storage.key, bytes) }
    return bytes
  }

  private func byteCount(of storage: TorchStorage) throws(CheckpointError) -> Int {
    switch places {
    case .archive(let archive, let prefix): try entry(storage, archive, prefix).byteCount
    case .ranges(let ranges): try range(storage, ranges).count
    case .pickle(let objects): objects.byteCount(ofStorage: storage.key) ?? 0
    }
  }

  private func entry(
    _ storage: TorchStorage, _ archive: ZipArchive, _ prefix: String
  ) throws(CheckpointError) -> ZipArchive.Entry {
    guard let entry = archive[prefix + storage.key] else {
      throw .damaged(
        path: file.path, part: "storage \(storage.key)", reason: "not in the archive")
    }
    return entry
  }

  private func range(
    _ storage: TorchStorage, _ ranges: [String: Range<Int>]
  ) throws(CheckpointError) -> Range<Int> {
    guard let range = ranges[storage.key] else {
      throw .damaged(path: file.path, part: "storage \(storage.key)", reason: "not in the file")
    }
    return range
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

/// Open storages for as long as a source of tensors needs them.
final class TorchTensors: Sendable {
  private let storages: TorchStorages
  private let views: [(name: String, tensor: TorchTensor)]

  init(_ views: [(name: String, tensor: TorchTensor)], _ storages: consuming TorchStorages) {
    self.views = views
    self.storages = storages
  }

  func tensor(_ position: Int) throws(CheckpointError) -> Tensor {
    try storages.tensor(views[position].tensor, name: views[position].name)
  }
}
