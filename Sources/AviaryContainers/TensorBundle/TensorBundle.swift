package import AviaryFiles
package import AviaryTensor

/// A checkpoint of TensorFlow's: the index `NAME.index`, and the tensors in
/// `NAME.data-00000-of-00001` beside it (tensorflow/core/util/tensor_bundle/tensor_bundle.h).
package struct TensorBundle: Sendable {
  /// A tensor of the index.
  package struct Entry: Sendable {
    package var name: String
    /// TensorFlow's number of the type: 1 for float32.
    package var type: Int
    package var shape: [Int]
    /// Which of the files of tensors it is in.
    package var shard: Int
    package var offset: Int
    package var byteCount: Int
    /// The masked CRC-32C of its bytes.
    package var checksum: UInt32
    /// The parts of a variable that was spread over machines: where each begins and how long it is in
    /// each dimension; empty for a tensor in one piece.
    package var slices: [[Range<Int>]] = []
    /// A slice as the index names it: a length of -1 for a whole dimension.
    fileprivate var extents: [[(start: Int, length: Int)]] = []
  }

  /// The index's path.
  package let path: String
  /// The tensors by name, parts of partitioned ones aside.
  package let entries: [Entry]
  private let parts: [[UInt8]: Entry]
  private let shardCount: Int

  /// More parts, or dimensions, than any variable has.
  private static let limits = (slices: 4096, rank: 8, shards: 100_000)

  /// Reads an index.
  ///
  /// - Throws: `CheckpointError`: `.truncated`, `.damaged`, `.tooLarge`, `.unsupported` for what
  ///   machines of the other byte order wrote, and for checkpoints of before 2017, which have their
  ///   tensors in the index.
  package init(_ index: borrowing InputFile) throws(CheckpointError) {
    let path = index.path
    let table = try SortedTable(index)
    guard let first = table.entries.first, first.key.isEmpty else {
      throw .damaged(path: path, part: "the index", reason: "expected a header, found none")
    }
    var shards: Int?
    var header = ProtocolBufferCursor(
      ProtocolBufferFile(first.value, path: path), 0..<first.value.count, part: "the header")
    while let field = try header.next() {
      switch (field.number, field.content) {
      // The older format's header is one message.
      case (1, .bytes):
        throw .unsupported(path: path, what: "a TensorFlow checkpoint of version 1")
      case (1, _): shards = field.integer
      case (2, _) where field.integer != 0:
        throw .unsupported(path: path, what: "a TensorFlow checkpoint of a big-endian machine")
      default: continue
      }
    }
    guard let shards, (1...Self.limits.shards).contains(shards) else {
      throw .damaged(
        path: path, part: "the header",
        reason: "expected 1 to \(Self.limits.shards) files of tensors, found \(shards ?? 0)")
    }
    var entries: [Entry] = []
    var parts: [[UInt8]: Entry] = [:]
    for (key, value) in table.entries.dropFirst().map({ ($0.key, $0.value) }) {
      // A part's key is no text: a zero, and what it is a part of.
      guard key.first != 0 else {
        parts[key] = try Self.entry(value, name: "a part of a variable", path: path)
        continue
      }
      guard let name = String(validating: key, as: UTF8.self) else {
        throw .damaged(path: path, part: "the index", reason: "a name that is not UTF-8")
      }
      entries.append(try Self.entry(value, name: name, path: path))
    }
    self.path = path
    (self.entries, self.parts, shardCount) = (entries, parts, shards)
  }

  /// The entry of a name.
  package subscript(_ name: String) -> Entry? { entries.first { $0.name == name } }

  /// The names of the files of tensors, without their folder.
  package var dataFiles: [String] {
    (0..<shardCount).map { file($0).split(separator: "/").last.map(String.init) ?? "" }
  }

  private func file(_ shard: Int) -> String {
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(5 - text.count, 0)) + text
    }
    return "\(path.dropLast(".index".count)).data-\(digits(shard))-of-\(digits(shardCount))"
  }
}

// MARK: - The index

extension TensorBundle {
  private static func entry(
    _ value: [UInt8], name: String, path: String
  ) throws(CheckpointError) -> Entry {
    var entry = Entry(
      name: name, type: 0, shape: [], shard: 0, offset: 0, byteCount: 0, checksum: 0)
    var cursor = ProtocolBufferCursor(
      ProtocolBufferFile(value, path: path), 0..<value.count, part: name)
    while let field = try cursor.next() {
      switch field.number {
      case 1: entry.type = field.integer ?? 0
      case 2: entry.shape = try TensorFlowShape.dimensions(try cursor.message(field, name))
      case 3: entry.shard = field.integer ?? 0
      case 4: entry.offset = field.integer ?? 0
      case 5: entry.byteCount = field.integer ?? 0
      case 6: if case .fixed32(let checksum) = field.content { entry.checksum = checksum }
      case 7:
        guard entry.extents.count < limits.slices else {
          throw .tooLarge(
            path: path, part: "\(name), parts", limit: limits.slices, found: limits.slices + 1)
        }
        entry.extents.append(try extents(try cursor.message(field, name)))
      default: continue
      }
    }
    guard entry.offset >= 0, entry.byteCount >= 0, entry.shard >= 0,
      entry.shape.count <= limits.rank
    else { throw cursor.damaged("a place that no file has") }
    let shape = entry.shape
    for extent in entry.extents {
      guard extent.count == shape.count else { throw cursor.damaged("a part of other dimensions") }
      var ranges: [Range<Int>] = []
      for (side, dimension) in zip(extent, shape) {
        let length = side.length < 0 ? dimension : side.length
        guard side.start >= 0, length <= dimension, side.start <= dimension - length else {
          throw cursor.damaged("a part that reaches beyond \(shape)")
        }
        ranges.append(side.start..<side.start + length)
      }
      entry.slices.append(ranges)
    }
    return entry
  }

  private static func extents(
    _ message: ProtocolBufferCursor
  ) throws(CheckpointError) -> [(start: Int, length: Int)] {
    var cursor = message
    var extents: [(start: Int, length: Int)] = []
    while let field = try cursor.next() {
      guard field.number == 1, extents.count < limits.rank else { continue }
      var extent = try cursor.message(field, "a part")
      var (start, length) = (0, -1)
      while let field = try extent.next() {
        if field.number == 1 { start = field.integer ?? 0 }
        if field.number == 2 { length = field.integer ?? -1 }
      }
      extents.append((start, length))
    }
    return extents
  }
}

// MARK: - Tensors

extension TensorBundle {
  /// Reads a tensor of numbers.
  ///
  /// - Throws: `CheckpointError`: `.cannotRead` where a file beside the index is missing,
  ///   `.truncated`, `.damaged` where a checksum is wrong, `.unsupported` for what is no number.
  package func tensor(_ entry: Entry) throws(CheckpointError) -> Tensor {
    guard let type = ElementType(tensorFlow: entry.type) else {
      throw .unsupported(
        path: path, what: "\(entry.name): elements of type \(entry.type) (not numbers)")
    }
    guard !entry.slices.isEmpty else { return try whole(entry, type) }
    guard let needed = Tensor.byteCount(entry.shape, type) else {
      throw .damaged(path: path, part: entry.name, reason: "a shape that no memory has")
    }
    var pieces: [(range: [Range<Int>], tensor: Tensor)] = []
    for (range, extent) in zip(entry.slices, entry.extents) {
      guard let part = parts[Self.key(entry.name, extent)] else {
        throw .damaged(path: path, part: entry.name, reason: "a part of it is missing")
      }
      guard part.type == entry.type, part.shape == range.map(\.count), part.slices.isEmpty else {
        throw .damaged(path: path, part: entry.name, reason: "a part has another shape")
      }
      pieces.append((range, try whole(part, type)))
    }
    guard pieces.reduce(0, { $0 + $1.tensor.byteCount }) == needed else {
      throw .damaged(path: path, part: entry.name, reason: "its parts are not the whole of it")
    }
    return try Self.joined(pieces, entry, type, path)
  }

  private func whole(
    _ entry: Entry, _ type: ElementType
  ) throws(CheckpointError) -> Tensor {
    guard Tensor.byteCount(entry.shape, type) == entry.byteCount else {
      throw .damaged(
        path: path, part: entry.name,
        reason: "expected the bytes of \(entry.shape), found \(entry.byteCount)")
    }
    guard entry.shard < shardCount else {
      throw .damaged(path: path, part: entry.name, reason: "a file of tensors that is none")
    }
    let data = try InputFile(weights: file(entry.shard))
    let tensor = try data.tensor(
      at: entry.offset, shape: entry.shape, elementType: type, part: entry.name)
    guard unsafe tensor.withUnsafeBytes({ unsafe CRC32C.masked($0) }) == entry.checksum else {
      throw .damaged(path: data.path, part: entry.name, reason: "its checksum is wrong")
    }
    return tensor
  }

  /// The pieces in their places, row by row.
  private static func joined(
    _ pieces: [(range: [Range<Int>], tensor: Tensor)], _ entry: Entry, _ type: ElementType,
    _ path: String
  ) throws(CheckpointError) -> Tensor {
    var result: Tensor
    do throws(TensorError) {
      result = try Tensor(zeros: entry.shape, elementType: type)
    } catch {
      throw .damaged(path: path, part: entry.name, reason: error.description)
    }
    let strides = entry.shape.indices.map { entry.shape[($0 + 1)...].reduce(1, *) }
    for (range, tensor) in pieces where tensor.count > 0 {
      let row = range.last?.count ?? 1
      for number in 0..<tensor.count / row {
        var rest = number
        var place = range.last?.lowerBound ?? 0
        for dimension in range.indices.dropLast().reversed() {
          place +=
            (range[dimension].lowerBound + rest % range[dimension].count) * strides[dimension]
          rest /= range[dimension].count
        }
        let count = row * type.byteCount
        unsafe tensor.withUnsafeBytes { source in
          unsafe result.withUnsafeMutableBytes { target in
            unsafe target[place * type.byteCount..<place * type.byteCount + count].copyBytes(
              from: source[number * count..<(number + 1) * count])
          }
        }
      }
    }
    return result
  }

  /// Reads a tensor of strings, such as the object graph is in.
  ///
  /// - Throws: as `tensor(_:)`.
  package func strings(
    _ entry: Entry, limit: Int = 256 << 20
  ) throws(CheckpointError) -> [[UInt8]] {
    guard entry.byteCount <= limit, entry.shard < shardCount else {
      throw .tooLarge(path: path, part: entry.name, limit: limit, found: entry.byteCount)
    }
    let count = entry.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard entry.type == 7, (0...entry.byteCount).contains(count) else {
      throw .damaged(path: path, part: entry.name, reason: "expected \(entry.shape) strings")
    }
    let data = try InputFile(weights: file(entry.shard))
    let bytes = try data.read(at: entry.offset, count: entry.byteCount, part: entry.name)
    var cursor = ByteCursor(bytes, path: data.path, part: entry.name)
    var lengths: [Int] = []
    // Checksums are of lengths of four bytes, or of eight where four are too few.
    var checked: [UInt8] = []
    for _ in 0..<count {
      let length = try cursor.variableSize()
      lengths.append(length)
      let size = length < 1 << 32 ? 4 : 8
      checked += (0..<size).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    }
    let lengthsChecksum = UInt32(try cursor.number(bytes: 4))
    let checksumBytes = Array(bytes[cursor.position - 4..<cursor.position])
    let start = cursor.position
    var strings: [[UInt8]] = []
    for length in lengths { strings.append(Array(bytes[try cursor.range(length)])) }
    guard CRC32C.masked(checked) == lengthsChecksum,
      CRC32C.masked(checked + checksumBytes + bytes[start..<cursor.position]) == entry.checksum
    else { throw .damaged(path: data.path, part: entry.name, reason: "its checksum is wrong") }
    return strings
  }

  /// What the index calls a part of a variable: numbers and names so written that their bytes sort as
  /// they do (tensorflow/core/lib/strings/ordered_code.h).
  private static func key(_ name: String, _ extent: [(start: Int, length: Int)]) -> [UInt8] {
    var key: [UInt8] = [0]
    for byte in name.utf8 {
      switch byte {
      case 0: key += [0, 0xFF]
      case 0xFF: key += [0xFF, 0]
      default: key.append(byte)
      }
    }
    key += [0, 1]
    key += extent.isEmpty ? [0] : [1, UInt8(extent.count)]
    for (start, length) in extent { key += ordered(start) + ordered(length) }
    return key
  }

  /// A signed number, its length in the first bits.
  private static func ordered(_ value: Int) -> [UInt8] {
    let magnitude = value < 0 ? ~value : value
    var size = 1
    while size < 8, magnitude >> (7 * size - 1) != 0 { size += 1 }
    var bytes = (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    bytes[0] ^= UInt8(truncatingIfNeeded: 0xFF00 >> size)
    return bytes
  }
}

/// A shape in TensorFlow's messages.
package enum TensorFlowShape {
  /// The dimensions; an unknown one is -1.
  package static func dimensions(
    _ message: ProtocolBufferCursor
  ) throws(CheckpointError) -> [Int] {
    var cursor = message
    var dimensions: [Int] = []
    while let field = try cursor.next() {
      guard field.number == 2 else { continue }
      var dimension = try cursor.message(field, message.part)
      // None is written where it is 0.
      var size = 0
      while let field = try dimension.next() {
        if field.number == 1 { size = field.integer ?? 0 }
      }
      guard dimensions.count < 64 else { throw cursor.damaged("more than 64 dimensions") }
      dimensions.append(size)
    }
    return dimensions
  }
}

extension ElementType {
  /// The type of a number of TensorFlow's enumeration; nil for what is no number, or has no
  /// counterpart.
  package init?(tensorFlow number: Int) {
    let types: [Int: ElementType] = [
      1: .float32, 2: .float64, 3: .int32, 4: .uint8, 5: .int16, 6: .int8, 9: .int64, 10: .bool,
      14: .bfloat16, 17: .uint16, 19: .float16, 22: .uint32, 23: .uint64,
    ]
    guard let type = types[number] else { return nil }
    self = type
  }
}
