import AviaryContainers
import AviaryFiles
import AviaryGraph
import AviaryTensor

/// What stands before the elements of a safetensors file: eight bytes of length and JSON (README of
/// huggingface/safetensors). A header that exists is sound.
struct SafeTensorsHeader {
  /// The most bytes of JSON that the format allows.
  static let limit = 100_000_000

  /// A tensor's description and its bytes' place in the file.
  struct Entry {
    var name: String
    var shape: [Int]
    var elementType: ElementType
    var range: Range<Int>
  }

  /// The tensors in the order of their elements in the file.
  let entries: [Entry]
  /// The free words of `__metadata__`.
  let metadata: [String: String]

  /// Reads and checks a file's header.
  ///
  /// - Throws: `CheckpointError`: `.truncated` for a file shorter than its header says, `.damaged`
  ///   for tensors that overlap, leave holes or do not have the size of their shape, `.tooLarge`,
  ///   `.unsupported` for element types that Aviary does not have.
  init(_ file: borrowing InputFile) throws(CheckpointError) {
    let path = file.path, part = "the safetensors header"
    var cursor = ByteCursor(
      try file.read(at: 0, count: 8, part: part), path: path, part: part)
    let length = try cursor.size(bytes: 8)
    guard length <= Self.limit else {
      throw .tooLarge(path: path, part: "\(part), bytes", limit: Self.limit, found: length)
    }
    let bytes = try file.read(at: 8, count: length, part: part)
    guard let text = String(validating: bytes, as: UTF8.self), text.utf8.first == 0x7B else {
      throw .damaged(path: path, part: part, reason: "expected a JSON object in UTF-8")
    }
    let json: JSON
    do {
      // Two members of one name are an error of the parser's.
      json = try JSON(parsing: text)
    } catch {
      throw .damaged(path: path, part: part, reason: error.description)
    }
    let start = 8 + length
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    for (name, member) in json.object ?? [:] {
      if name == "__metadata__" {
        metadata = try Self.metadata(member, path: path)
      } else {
        entries.append(try Self.entry(name, member, start: start, path: path))
      }
    }
    // Tensors without elements share their place with what follows them.
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    try Self.check(entries, start: start, byteCount: file.byteCount, path: path)
    self.entries = entries
    self.metadata = metadata
  }

  private static func metadata(
    _ json: JSON, path: String
  ) throws(CheckpointError) -> [String: String] {
    let words = json.object?.compactMapValues(\.string)
    guard let words, words.count == json.object?.count else {
      throw .damaged(path: path, part: "__metadata__", reason: "expected an object of strings")
    }
    return words
  }

  private static func entry(
    _ name: String, _ json: JSON, start: Int, path: String
  ) throws(CheckpointError) -> Entry {
    let offsets = json["data_offsets"]?.array?.compactMap(\.int)
    let shape = json["shape"]?.array?.map { $0.int ?? -1 }
    guard let type = json["dtype"]?.string, let shape, let offsets, offsets.count == 2,
      json.object?.count == 3, shape.allSatisfy({ $0 >= 0 })
    else {
      throw .damaged(
        path: path, part: name, reason: "expected a dtype, a shape and two data_offsets")
    }
    guard let elementType = SafeTensorsType(rawValue: type)?.elementType else {
      throw .unsupported(path: path, what: "\(name): a tensor of element type \(type)")
    }
    guard let expected = Tensor.byteCount(shape, elementType), shape.count <= 64 else {
      throw .damaged(path: path, part: name, reason: "shape \(shape) overflows")
    }
    // Both are far below 2^62 where their difference is the size of a tensor.
    guard offsets[0] >= 0, offsets[0] <= 1 << 60, offsets[1] >= 0,
      offsets[1] == offsets[0] + expected
    else {
      throw .damaged(
        path: path, part: name,
        reason: "expected data_offsets of \(expected) bytes for shape \(shape) of \(type), "
          + "found \(offsets[0]) to \(offsets[1])")
    }
    return Entry(
      name: name, shape: shape, elementType: elementType,
      range: start + offsets[0]..<start + offsets[1])
  }

  /// The elements begin behind the header, follow each other without holes and end with the file.
  private static func check(
    _ entries: [Entry], start: Int, byteCount: Int, path: String
  ) throws(CheckpointError) {
    var end = start
    for entry in entries {
      guard entry.range.lowerBound == end else {
        let overlaps = entry.range.lowerBound < end
        throw .damaged(
          path: path, part: entry.name,
          reason:
            "expected data_offsets from \(end - start) on, found \(entry.range.lowerBound - start): \(overlaps ? "tensors overlap" : "a hole")"
        )
      }
      end = entry.range.upperBound
    }
    guard end <= byteCount else {
      throw .truncated(
        path: path, part: "the tensors", expected: end - start, found: byteCount - start)
    }
    guard end == byteCount else {
      throw .damaged(
        path: path, part: "the tensors",
        reason: "expected \(end - start) bytes, found \(byteCount - start)")
    }
  }
}

/// The element types of safetensors that Aviary has, from the highest to the lowest in the order in
/// which the reference writer lays tensors out, so that all are aligned
/// (safetensors/src/tensor.rs).
enum SafeTensorsType: String, CaseIterable {
  case u64 = "U64"
  case i64 = "I64"
  case f64 = "F64"
  case f32 = "F32"
  case u32 = "U32"
  case i32 = "I32"
  case bf16 = "BF16"
  case f16 = "F16"
  case u16 = "U16"
  case i16 = "I16"
  case i8 = "I8"
  case u8 = "U8"
  case bool = "BOOL"

  /// The same type by our name.
  var elementType: ElementType {
    switch self {
    case .u64: .uint64
    case .i64: .int64
    case .f64: .float64
    case .f32: .float32
    case .u32: .uint32
    case .i32: .int32
    case .bf16: .bfloat16
    case .f16: .float16
    case .u16: .uint16
    case .i16: .int16
    case .i8: .int8
    case .u8: .uint8
    case .bool: .bool
    }
  }

  /// The place in the writer's order, by our name.
  static let rank: [ElementType: Int] = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1.elementType, $0) })

  /// The format's name of a type.
  static func name(_ type: ElementType) -> String {
    allCases.first { $0.elementType == type }?.rawValue ?? "F32"
  }
}
