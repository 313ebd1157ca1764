import AviaryContainers
import AviaryFiles
import AviaryTensor

/// PyTorch's container before 1.6: five pickles (a magic number, the protocol's version, facts
/// about the machine, the object, the storages' keys), then each storage as a count of 64 bits and
/// its elements (torch/serialization.py, `_legacy_save`).
enum TorchLegacy {
  /// A pickle larger than this is no file of weights: it holds names and shapes, not numbers.
  static let pickleLimit = 64 << 20

  /// Reads the tensors of a file.
  static func read(_ path: String) throws(CheckpointError) -> WeightsFile {
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
      throw .damaged(path: path, part: "the storages' keys", reason: "a list expected")
    }
    let ranges = try ranges(
      of: names.compactMap { $0 }, after: cursor.position, object.heap, in: file)
    let (tensors, unwrapping, optimizer) = try StateDictFinder.find(
      object.value, TorchObjects(heap: object.heap, path: path),
      TorchStorages(file, .ranges(ranges)))
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
