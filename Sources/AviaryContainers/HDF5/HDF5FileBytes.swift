import AviaryFiles
import AviaryTensor
import CIsolation

/// Blocks of an HDF5 file. In an honest file each belongs to one thing, so that all of them
/// together are no more than the file: who asks for more goes in circles.
final class HDF5FileBytes {
  /// The file's size.
  let byteCount: Int
  private let reader: HDF5Reader
  private var left: Int

  init(_ reader: HDF5Reader) {
    self.reader = reader
    byteCount = reader.range.byteCount
    left = byteCount
  }

  /// The `count` bytes at `offset`.
  func block(
    at offset: Int, count: Int
  ) throws(HDF5Outline.Uncommon) -> HDF5Block {
    guard offset >= 0, count >= 0, count <= left, offset <= byteCount - count,
      let bytes = try? reader.range.file.bytes(at: reader.range.start + offset, count: count),
      bytes.count == count
    else { throw HDF5Outline.Uncommon() }
    left -= count
    return HDF5Block(bytes: bytes[...])
  }
}

/// Some bytes of an HDF5 file, with numbers at known places. All numbers are little-endian.
struct HDF5Block {
  let bytes: ArraySlice<UInt8>

  /// The unsigned number of `count` bytes at `offset`; one beyond `Int` is none that a file has.
  func number(_ offset: Int, _ count: Int) throws(HDF5Outline.Uncommon) -> Int {
    let part = try self.part(offset, count)
    var value: UInt64 = 0
    for byte in part.bytes.reversed() { value = value << 8 | UInt64(byte) }
    guard let number = Int(exactly: value) else { throw HDF5Outline.Uncommon() }
    return number
  }

  /// The 8 bytes at `offset` are the mark for no place in the file.
  func isUndefined(_ offset: Int) -> Bool {
    (try? part(offset, 8))?.bytes.allSatisfy { $0 == 0xFF } ?? false
  }

  /// The `count` bytes at `offset`.
  func part(_ offset: Int, _ count: Int) throws(HDF5Outline.Uncommon) -> HDF5Block {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw HDF5Outline.Uncommon()
    }
    let start = bytes.startIndex + offset
    return HDF5Block(bytes: bytes[start..<start + count])
  }

  /// The text at `offset` up to its zero, which must be there.
  func text(_ offset: Int) throws(HDF5Outline.Uncommon) -> String {
    guard offset >= 0, offset < bytes.count,
      let end = bytes[(bytes.startIndex + offset)...].firstIndex(of: 0),
      let text = String(validating: bytes[(bytes.startIndex + offset)..<end], as: UTF8.self)
    else { throw HDF5Outline.Uncommon() }
    return text
  }
}

/// The bytes of an HDF5 file: a file, or a part of one that is stored as it is.
struct HDF5Range: ~Copyable {
  let file: InputFile
  /// Where the HDF5 file begins.
  let start: Int
  let byteCount: Int

  /// A file, or the given range of it.
  init(_ file: consuming InputFile, _ range: Range<Int>?) throws(CheckpointError) {
    let range = range ?? 0..<file.byteCount
    guard range.lowerBound >= 0, range.upperBound <= file.byteCount else {
      throw .truncated(
        path: file.path, part: "the HDF5 file within", expected: range.upperBound,
        found: file.byteCount)
    }
    guard !range.isEmpty else { throw .notWeights(path: file.path, found: FileKind.empty.label) }
    start = range.lowerBound
    byteCount = range.count
    self.file = file
  }

  /// Fills `buffer` from `offset` of the HDF5 file; `part` names the bytes in the error.
  func fill(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: Int, part: String
  ) throws(CheckpointError) {
    try unsafe file.fill(weights: buffer, at: start + offset, part: part)
  }
}

extension InputFile {
  /// Memory of this size, zeros for now, that can be handed to another program as a file.
  init(memory byteCount: Int, _ path: String) throws(CheckpointError) {
    let descriptor = aviary_memory(byteCount)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    self.init(adopting: descriptor, byteCount: byteCount, path: path)
  }

  /// Fills `buffer` from `offset`; `part` names the bytes in the error if the file ends before.
  func fill(
    weights buffer: UnsafeMutableRawBufferPointer, at offset: Int, part: String
  ) throws(CheckpointError) {
    let found: Int
    do {
      found = try unsafe fill(buffer, at: offset)
    } catch {
      throw CheckpointError(error)
    }
    guard found == buffer.count else {
      throw .truncated(path: path, part: part, expected: buffer.count, found: found)
    }
  }
}

/// One element of a data set or attribute: a little-endian number or a text of fixed length.
enum HDF5Scalar {
  case number(ElementType)
  case text(byteCount: Int, padsWithSpaces: Bool)

  /// Reads a message of a type, up to version 3, which these types look the same in.
  init(_ message: HDF5Block) throws(HDF5Outline.Uncommon) {
    let head = try message.number(0, 1)
    guard (1...3).contains(head >> 4) else { throw HDF5Outline.Uncommon() }
    let size = try message.number(4, 4)
    let bits = try message.part(1, 3).bytes
    switch head & 15 {
    case 0:
      // No bits beside those of the number, little-endian.
      guard try message.number(8, 2) == 0, try message.number(10, 2) == 8 * size,
        let first = bits.first, first & ~8 == 0, bits.dropFirst().allSatisfy({ $0 == 0 })
      else { throw HDF5Outline.Uncommon() }
      switch (size, first == 8) {
      case (1, true): self = .number(.int8)
      case (2, true): self = .number(.int16)
      case (4, true): self = .number(.int32)
      case (8, true): self = .number(.int64)
      case (1, false): self = .number(.uint8)
      case (2, false): self = .number(.uint16)
      case (4, false): self = .number(.uint32)
      case (8, false): self = .number(.uint64)
      default: throw HDF5Outline.Uncommon()
      }
    case 1:
      // An implied first bit of 1 and the place of the sign; then the bits' number, the places and
      // numbers of those of exponent and fraction, and the exponent's bias: IEEE 754's.
      let fields = Array(bits) + Array(try message.part(8, 12).bytes)
      switch fields {
      case [0x20, 15, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]: self = .number(.float16)
      case [0x20, 31, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]: self = .number(.float32)
      case [0x20, 63, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]: self = .number(.float64)
      default: throw HDF5Outline.Uncommon()
      }
      guard size == byteCount else { throw HDF5Outline.Uncommon() }
    case 3:
      guard let first = bits.first, first & 15 <= 2, first >> 4 <= 1, size > 0 else {
        throw HDF5Outline.Uncommon()
      }
      self = .text(byteCount: size, padsWithSpaces: first & 15 == 2)
    default: throw HDF5Outline.Uncommon()
    }
  }

  /// The bytes of one.
  var byteCount: Int {
    switch self {
    case .number(let type): type.byteCount
    case .text(let byteCount, _): byteCount
    }
  }

  /// What tensors' elements are; nil for text.
  var elementType: ElementType? {
    if case .number(let type) = self { type } else { nil }
  }

  /// So many texts.
  func strings(
    _ block: HDF5Block, at offset: Int, count: Int
  ) throws(HDF5Outline.Uncommon) -> [String] {
    guard case .text(let size, let padsWithSpaces) = self else { throw HDF5Outline.Uncommon() }
    var strings: [String] = []
    for i in 0..<count {
      var text = try block.part(offset + i * size, size).bytes.prefix { $0 != 0 }
      if padsWithSpaces { while text.last == 0x20 { text.removeLast() } }
      strings.append(String(decoding: text, as: UTF8.self))
    }
    return strings
  }
}

/// The dimensions of a data set or attribute.
struct HDF5Shape {
  /// Empty for a scalar.
  private(set) var dimensions: [Int] = []
  /// How many elements these are.
  let count: Int

  /// Reads a message of a data space.
  init(_ message: HDF5Block) throws(HDF5Outline.Uncommon) {
    let (version, rank) = (try message.number(0, 1), try message.number(1, 1))
    let (flags, kind) = (try message.number(2, 1), try message.number(3, 1))
    // Of version 2 a scalar, or dimensions; of version 1 no permutation of them.
    guard flags <= 1, version == 1 || version == 2 && kind == (rank == 0 ? 0 : 1) else {
      throw HDF5Outline.Uncommon()
    }
    var most = 1
    for i in 0..<rank {
      let dimension = try message.number((version == 1 ? 8 : 4) + 8 * i, 8)
      // So many no tensor has, even where another dimension is 0.
      let (product, overflow) = most.multipliedReportingOverflow(by: max(dimension, 1))
      guard !overflow, product < 1 << 48 else { throw HDF5Outline.Uncommon() }
      most = product
      dimensions.append(dimension)
    }
    count = dimensions.contains(0) ? 0 : most
  }
}
