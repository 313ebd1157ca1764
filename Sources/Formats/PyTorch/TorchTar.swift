import AviaryContainers
import AviaryFiles
import AviaryTensor

/// PyTorch's container before 0.1.12: a tar archive of `storages` (raw elements), `tensors` (views
/// of them) and `pickle`, the object, which refers to both by number (torch/serialization.py,
/// `legacy_load`).
enum TorchTar {
  /// A pickle of a few words stands before each storage and tensor.
  private static let smallPickle = 4096

  /// Reads the tensors of a file.
  static func read(
    _ path: String, part: String? = nil
  ) throws(CheckpointError) -> WeightsFile {
    let file = try InputFile(weights: path)
    let archive = try TarArchive(file)
    guard let storages = archive.members["storages"], let tensors = archive.members["tensors"],
      let pickle = archive.members["pickle"]
    else {
      let names = archive.members.keys.sorted().prefix(8).joined(separator: ", ")
      throw .notWeights(path: path, found: "a tar archive (of \(names))")
    }
    let limit = TorchLegacy.pickleLimit
    guard pickle.count <= limit else {
      throw .tooLarge(path: path, part: "the pickle, bytes", limit: limit, found: pickle.count)
    }
    let (storageByKey, ranges) = try self.storages(storages, file)
    let views = try self.tensors(tensors, storageByKey, file)
    var machine = PickleMachine(
      ByteCursor(
        try file.read(at: pickle.lowerBound, count: pickle.count, part: "the pickle"), path: path,
        part: "the pickle"))
    let root = try machine.run()
    let (found, unwrapping, optimizer) = try StateDictFinder.find(
      root, TorchObjects(heap: machine.heap, path: path, listed: views),
      TorchStorages(file, .ranges(ranges)), part: part)
    return WeightsFile(
      path: path, format: .torchTar, tensors: found, unwrapping: unwrapping,
      origin: Origin(.pytorch), optimizer: optimizer)
  }

  /// A count; for each storage a pickle of (key, location, type), the number of elements and the
  /// elements; then the storages that are views of others.
  private static func storages(
    _ member: Range<Int>, _ file: borrowing InputFile
  ) throws(CheckpointError) -> (byKey: [String: TorchStorage], ranges: [String: Range<Int>]) {
    var reader = Reader(position: member.lowerBound, end: member.upperBound, part: "storages")
    var byKey: [String: TorchStorage] = [:]
    var ranges: [String: Range<Int>] = [:]
    for _ in 0..<(try reader.count(file)) {
      let (value, heap) = try reader.pickle(file, limit: smallPickle)
      guard let parts = heap.items(value), parts.count == 3,
        let key = heap.identifier(parts[0]), let type = heap.global(parts[2])
      else { throw reader.damaged(file, "expected a key, a location and a type") }
      guard let elementType = TorchStorage.elementType(named: type) ?? nil else {
        throw .unsupported(path: file.path, what: "storage \(key): elements of \(type)")
      }
      let count = try reader.integer(file)
      let (bytes, overflow) = count.multipliedReportingOverflow(by: elementType.byteCount)
      let range = try reader.skip(file, overflow ? .max : bytes)
      byKey[key] = TorchStorage(key: key, elementType: elementType, count: count)
      ranges[key] = range
    }
    let (views, heap) = try reader.pickle(file, limit: TorchLegacy.pickleLimit)
    for view in heap.items(views) ?? [] {
      guard let parts = heap.items(view), parts.count == 4, let key = heap.identifier(parts[0]),
        let root = heap.identifier(parts[1]), var storage = byKey[root],
        let offset = heap.size(parts[2])
      else { throw reader.damaged(file, "expected a view of a storage") }
      storage.offset = offset
      byKey[key] = storage
    }
    return (byKey, ranges)
  }

  /// A count; for each tensor a pickle of (key, storage, type), its rank in eight bytes, the
  /// dimensions, the strides and the offset.
  private static func tensors(
    _ member: Range<Int>, _ storages: [String: TorchStorage], _ file: borrowing InputFile
  ) throws(CheckpointError) -> [String: TorchTensor] {
    var reader = Reader(position: member.lowerBound, end: member.upperBound, part: "tensors")
    var tensors: [String: TorchTensor] = [:]
    for _ in 0..<(try reader.count(file)) {
      let (value, heap) = try reader.pickle(file, limit: smallPickle)
      guard let parts = heap.items(value), parts.count == 3,
        let key = heap.identifier(parts[0]), let storage = heap.identifier(parts[1]),
        let storage = storages[storage], let elementType = storage.elementType
      else { throw reader.damaged(file, "expected a key, a storage and a type") }
      // Only the lower half of the eight bytes is the rank.
      let rank = try reader.integer(file) & 0xFFFF_FFFF
      guard rank <= 64 else { throw reader.damaged(file, "\(rank) dimensions") }
      var numbers: [Int] = []
      for _ in 0..<2 * rank + 1 { numbers.append(try reader.integer(file)) }
      let (offset, overflow) = storage.offset.addingReportingOverflow(numbers[2 * rank])
      guard !overflow else { throw reader.damaged(file, "an offset of \(numbers[2 * rank])") }
      tensors[key] = TorchTensor(
        storage: storage, elementType: elementType, offset: offset,
        shape: Array(numbers[..<rank]), strides: Array(numbers[rank..<2 * rank]))
    }
    return tensors
  }
}

extension TorchTar {
  /// A place in a member, read piece by piece so that raw elements between pickles are passed over.
  private struct Reader {
    var position: Int
    let end: Int
    let part: String

    /// The number that a pickle is.
    mutating func count(_ file: borrowing InputFile) throws(CheckpointError) -> Int {
      let (value, heap) = try pickle(file, limit: smallPickle)
      guard let count = heap.size(value) else { throw damaged(file, "expected a count") }
      return count
    }

    mutating func pickle(
      _ file: borrowing InputFile, limit: Int
    ) throws(CheckpointError) -> (value: PickleValue, heap: PickleHeap) {
      let bytes = try file.read(at: position, count: min(limit, end - position), part: part)
      var machine = PickleMachine(ByteCursor(bytes, path: file.path, part: part))
      let value = try machine.run()
      position += machine.cursor.position
      return (value, machine.heap)
    }

    /// A number of eight bytes that is not negative.
    mutating func integer(_ file: borrowing InputFile) throws(CheckpointError) -> Int {
      let range = try skip(file, 8)
      var cursor = ByteCursor(
        try file.read(at: range.lowerBound, count: 8, part: part), path: file.path, part: part)
      return try cursor.size(bytes: 8)
    }

    mutating func skip(
      _ file: borrowing InputFile, _ count: Int
    ) throws(CheckpointError) -> Range<Int> {
      guard count <= end - position else {
        throw .truncated(path: file.path, part: part, expected: count, found: end - position)
      }
      defer { position += count }
      return position..<position + count
    }

    func damaged(_ file: borrowing InputFile, _ reason: String) -> CheckpointError {
      .damaged(path: file.path, part: part, reason: reason)
    }
  }
}

/// PyTorch's container before 1.6: five pickles (a magic number, the protocol's version, facts
/// about the machine, the object, the storages' keys), then each storage as a count of 64 bits and
/// its elements (torch/serialization.py, `_legacy_save`).
enum TorchLegacy {
  /// A pickle larger than this is no file of weights: it holds names and shapes, not numbers.
  static let pickleLimit = 64 << 20

  /// Reads the tensors of a file.
  static func read(
    _ path: String, part: String? = nil
  ) throws(CheckpointError) -> WeightsFile {
    let file = try InputFile(weights: path)
    // The pickles do not say where they end; what follows them is not read here if it is large.
    let head = try file.read(
      at: 0, count: min(file.byteCount, pickleLimit), part: "the pickles")
    var cursor = ByteCursor(head, path: path, part: "the pickle")
    _ = try next(&cursor)
    let version = try next(&cursor)
    guard version.value == .integer(1001) else {
      throw .unsupported(path: path, what: "another protocol of PyTorch than 1001")
    }
    let machine = try next(&cursor)
    let facts = TorchObjects(heap: machine.heap, path: path).dictionary(machine.value) ?? []
    guard !facts.contains(where: { $0.key == "little_endian" && $0.value == .bool(false) }) else {
      throw .unsupported(path: path, what: "byte order big")
    }
    let object = try next(&cursor)
    let keys = try next(&cursor)
    guard let names = keys.heap.items(keys.value)?.map(keys.heap.text) else {
      throw .damaged(path: path, part: "the storages' keys", reason: "expected a list")
    }
    let ranges = try ranges(
      of: names.compactMap { $0 }, after: cursor.position, object.heap, in: file)
    let (tensors, unwrapping, optimizer) = try StateDictFinder.find(
      object.value, TorchObjects(heap: object.heap, path: path),
      TorchStorages(file, .ranges(ranges)), part: part)
    return WeightsFile(
      path: path, format: .torchLegacy, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.pytorch), optimizer: optimizer)
  }

  private static func next(_ cursor: inout ByteCursor) throws(CheckpointError)
    -> (value: PickleValue, heap: PickleHeap)
  {
    var machine = PickleMachine(cursor)
    let value = try machine.run()
    cursor = machine.cursor
    return (value, machine.heap)
  }

  /// Where each storage's elements are.
  private static func ranges(
    of keys: [String], after start: Int, _ heap: PickleHeap, in file: borrowing InputFile
  ) throws(CheckpointError) -> [String: Range<Int>] {
    // The file counts elements; their size is in the pickle.
    var sizes: [String: Int] = [:]
    for case .persistent(let identifier) in heap.nodes {
      guard let storage = TorchStorage(identifier, heap) else { continue }
      sizes[storage.key] = storage.elementType?.byteCount ?? 1
    }
    var ranges: [String: Range<Int>] = [:]
    var position = start
    for key in keys {
      let part = "storage \(key)"
      var cursor = ByteCursor(
        try file.read(at: position, count: 8, part: part), path: file.path, part: part)
      let count = try cursor.size(bytes: 8)
      position += 8
      guard let size = sizes[key] else {
        throw .unsupported(path: file.path, what: "\(part): a storage of a further element type")
      }
      let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
      let left = file.byteCount - position
      guard !overflow, bytes <= left else {
        throw .truncated(
          path: file.path, part: part, expected: overflow ? .max : bytes, found: left)
      }
      ranges[key] = position..<position + bytes
      position += bytes
    }
    return ranges
  }
}
