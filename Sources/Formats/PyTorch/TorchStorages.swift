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

  /// Checks that views lie inside their storages, the storages inside the file, and that all
  /// together are no more than an honest file of this size would hold.
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
            "shape \(view.shape), strides \(view.strides), offset \(view.offset): expected a storage of "
            + "\(tooFar ? Int.max : needed) bytes, found \(stored)")
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
        reason: "expected \(expected) bytes, found \(found)")
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

/// A run of numbers that tensors are views of, as a pickle refers to it.
struct TorchStorage: Hashable {
  /// The storage's name in the file.
  var key: String
  /// The elements' type; nil for untyped storages, whose elements are bytes and whose tensors say
  /// their type themselves.
  var elementType: ElementType?
  /// The number of elements in the whole storage.
  var count: Int
  /// Where this view begins, in elements.
  var offset = 0

  /// The bytes that the whole storage takes; nil if they overflow.
  var byteCount: Int? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: elementType?.byteCount ?? 1)
    return overflow ? nil : bytes
  }

  /// Reads `('storage', type, key, location, count[, (view key, offset, size)])`.
  init?(_ identifier: PickleValue, _ heap: PickleHeap) {
    guard let parts = heap.items(identifier), parts.count >= 5, heap.text(parts[0]) == "storage",
      let type = heap.global(parts[1]), let key = heap.text(parts[2]),
      let count = heap.size(parts[4])
    else { return nil }
    guard let elementType = Self.elementType(named: type) else { return nil }
    self.key = key
    self.elementType = elementType
    self.count = count
    // Storages that are views of others, as PyTorch 0.x wrote them.
    if parts.count > 5, let view = heap.items(parts[5]), view.count == 3 {
      guard let offset = heap.size(view[1]) else { return nil }
      self.offset = offset
    }
  }

  /// A whole storage.
  init(key: String, elementType: ElementType, count: Int) {
    (self.key, self.elementType, self.count) = (key, elementType, count)
  }

  /// The elements' type by the class of storage, such as `torch.FloatStorage`.
  static func elementType(named type: String) -> ElementType?? {
    elementTypes[String(type.split(separator: ".").last ?? "")]
  }

  /// Of an untyped storage the type is nil, of an unknown one there is no entry.
  private static let elementTypes: [String: ElementType?] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "ByteStorage": .uint8, "CharStorage": .int8,
    "ShortStorage": .int16, "IntStorage": .int32, "LongStorage": .int64, "BoolStorage": .bool,
    "UntypedStorage": ElementType?.none,
  ]
}

/// A tensor as a pickle describes it: a view of a storage.
struct TorchTensor: Hashable {
  var storage: TorchStorage
  var elementType: ElementType
  /// Where the first element is, in elements from the beginning of the storage.
  var offset: Int
  var shape: [Int]
  /// How many elements apart neighbours along each dimension are.
  var strides: [Int]

  /// The number of elements; nil if it overflows.
  var count: Int? { try? Tensor.count(of: shape) }

  /// Whether the elements lie in the order that `Tensor` has.
  var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }

  /// One past the last element that the view reaches, in elements of the storage; nil if that
  /// overflows.
  var end: Int? {
    guard let count else { return nil }
    if count == 0 { return offset }
    var last = offset
    for (size, stride) in zip(shape, strides) {
      let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, carry) = last.addingReportingOverflow(reach)
      guard !overflow, !carry else { return nil }
      last = sum
    }
    return last == .max ? nil : last + 1
  }

  /// Copies the elements out of the storage's bytes, which the caller knows to reach far enough.
  func gather(from bytes: [UInt8]) throws(TensorError) -> Tensor {
    var tensor = try Tensor(zeros: shape, elementType: elementType)
    if tensor.count == 0 { return tensor }
    let size = elementType.byteCount
    let isContiguous = isContiguous
    unsafe tensor.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        if isContiguous {
          let range = offset * size..<offset * size + target.count
          unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
        } else {
          unsafe copyStrided(from: source, to: target, size: size)
        }
      }
    }
    return tensor
  }

  private func copyStrided(
    from source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, size: Int
  ) {
    var index = [Int](repeating: 0, count: shape.count)
    var position = offset
    var written = 0
    while written < target.count {
      for i in 0..<size { unsafe target[written + i] = source[position * size + i] }
      written += size
      // The next index: the last dimension first, carrying into those before it.
      for d in shape.indices.reversed() {
        index[d] += 1
        position += strides[d]
        if index[d] < shape[d] { break }
        position -= strides[d] * shape[d]
        index[d] = 0
      }
    }
  }
}
