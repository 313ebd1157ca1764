import AviaryContainers
import AviaryFiles
import AviaryTensor

/// The `.bin` file: all layers' numbers one after the other, each run of marked ones with how it is
/// stored before it (ncnn/src/modelbin.cpp).
struct NCNNBinary {
  /// How a run of numbers is stored.
  enum Storage: Sendable {
    case plain(ElementType)
    /// A table of 256 numbers, and one byte for each element.
    case table
  }

  /// Where a tensor is.
  struct Entry: Sendable {
    var name: String
    var shape: [Int]
    var offset: Int
    var storage: Storage

    /// What the elements are once read.
    var elementType: ElementType {
      if case .plain(let type) = storage { type } else { .float32 }
    }
  }

  private let open: OpenFile
  private(set) var entries: [Entry] = []
  private var position = 0

  init(_ path: String) throws(CheckpointError) { open = try OpenFile(path) }

  /// Passes over the next run of numbers.
  mutating func append(_ weight: NCNNWeight, name: String) throws(CheckpointError) {
    let path = open.file.path
    guard let count = try? Tensor.count(of: weight.shape) else {
      throw .damaged(path: path, part: name, reason: "shape \(weight.shape) overflows")
    }
    var storage = Storage.plain(.float32)
    if weight.isMarked {
      var cursor = ByteCursor(
        try open.file.read(at: position, count: 4, part: name), path: path, part: name)
      switch try cursor.number(bytes: 4) {
      case 0, 0x0002_C056: break
      case 0x0130_6B47: storage = .plain(.float16)
      case 0x000D_4B38:
        throw .unsupported(path: path, what: "\(name): weights of 8 bits")
      default: storage = .table
      }
      position += 4
    }
    let bytes: Int
    switch storage {
    case .plain(let type): bytes = (count * type.byteCount + 3) / 4 * 4
    case .table: bytes = 1024 + (count + 3) / 4 * 4
    }
    let left = open.file.byteCount - position
    guard bytes <= left else {
      throw .truncated(path: path, part: name, expected: bytes, found: left)
    }
    entries.append(Entry(name: name, shape: weight.shape, offset: position, storage: storage))
    position += bytes
  }

  /// Sees to it that nothing is left.
  func finish() throws(CheckpointError) {
    guard position == open.file.byteCount else {
      throw .damaged(
        path: open.file.path, part: "the weights",
        reason: "\(position) bytes expected for the layers, \(open.file.byteCount) found")
    }
  }

  /// Reads a tensor as it lies in the file.
  func tensor(_ entry: Entry) throws(CheckpointError) -> Tensor {
    let path = open.file.path
    let count = entry.shape.reduce(1, *)
    switch entry.storage {
    case .plain(let type):
      let bytes = try open.file.read(
        at: entry.offset, count: count * type.byteCount, part: entry.name)
      return try Tensor(
        shape: entry.shape, elementType: type, bytes: bytes[...], path: path, part: entry.name)
    case .table:
      let bytes = try open.file.read(at: entry.offset, count: 1024 + count, part: entry.name)
      let table = try Tensor(
        shape: [256], elementType: .float32, bytes: bytes[..<1024], path: path, part: entry.name
      ).floats
      do {
        return try Tensor(shape: entry.shape, bytes[1024...].map { table[Int($0)] })
      } catch {
        throw .damaged(path: path, part: entry.name, reason: error.description)
      }
    }
  }
}
