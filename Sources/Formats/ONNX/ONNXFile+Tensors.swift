import AviaryContainers
import AviaryFiles
import AviaryTensor

/// The files beside a model that hold elements, each opened once.
final class ExternalFiles {
  private var files: [String: ProtocolBufferFile] = [:]

  func open(_ path: String) throws(CheckpointError) -> ProtocolBufferFile {
    if let file = files[path] { return file }
    guard files.count < 64 else {
      throw .tooLarge(path: path, part: "files beside a model", limit: 64, found: files.count + 1)
    }
    let file = try ProtocolBufferFile(path)
    files[path] = file
    return file
  }
}

/// How tensors stand in a model (onnx.proto, TensorProto).
extension ONNXFile {
  /// What a tensor is and where its elements lie; nil for elements that no tensor of ours has (text,
  /// complex numbers, packed nibbles).
  ///
  /// - Throws: where elements are missing, or lie outside the file.
  func tensor(_ message: ProtocolBufferCursor) throws(CheckpointError) -> ONNXTensor? {
    var cursor = message
    let start = cursor.position
    var (name, kind, shape) = ("", 0, [Int]())
    var raw: Range<Int>?
    // The fields that hold numbers, by field: how many bytes, and where where they are in one piece.
    var numbers: [Int: (bytes: Int, pieces: Int, range: Range<Int>)] = [:]
    var (isExternal, external) = (false, [String: String]())
    while let field = try cursor.next() {
      switch field.number {
      case 1:
        shape += try cursor.integers(field, limit: 64)
        guard shape.count <= 64 else { throw cursor.damaged("more than 64 dimensions") }
      case 2: kind = field.integer ?? 0
      case 4, 5, 7, 10, 11:
        let (bytes, range): (Int, Range<Int>) =
          switch field.content {
          case .bytes(let range): (range.count, range)
          case .varint: (1, 0..<0)
          case .fixed32: (4, 0..<0)
          case .fixed64: (8, 0..<0)
          }
        let before = numbers[field.number] ?? (0, 0, range)
        numbers[field.number] = (before.bytes + bytes, before.pieces + 1, before.range)
      case 8: name = try cursor.text(field)
      case 9: raw = field.range
      case 13:
        let (key, value) = try entry(try cursor.message(field, "external data"))
        guard external.count < 16 else { throw cursor.damaged("more than 16 entries") }
        external[key] = value
      case 14: isExternal = field.integer == 1
      default: break
      }
    }
    guard let type = ONNXFile.elementTypes[kind] else { return nil }
    let part = name.isEmpty ? "a constant" : name
    guard let count = try? Tensor.count(of: shape) else {
      throw .damaged(path: file.path, part: part, reason: "shape \(shape)")
    }
    var tensor = ONNXTensor(
      name: name, shape: shape, elementType: type, storage: .plain(file, 0..<0))
    let needed = count * type.byteCount
    func require(_ found: Int) throws(CheckpointError) {
      guard found == needed else {
        throw .truncated(path: file.path, part: part, expected: needed, found: found)
      }
    }
    if isExternal {
      tensor.storage = try externalStorage(external, needed, part)
    } else if let raw {
      try require(raw.count)
      tensor.storage = .plain(file, raw)
    } else {
      let field = ONNXFile.field(of: type)
      let found = numbers[field] ?? (0, 0, 0..<0)
      if type == .float32 || type == .float64 {
        try require(found.bytes)
      } else if found.bytes < count {
        // Every number takes at least a byte, so that nothing is reserved that is not there.
        throw .truncated(path: file.path, part: part, expected: count, found: found.bytes)
      }
      let isPlain = (type == .float32 || type == .float64) && found.pieces <= 1
      if isPlain, found.range.count == needed {
        tensor.storage = .plain(file, found.range)
      } else {
        tensor.storage = .fields(file, message: start..<cursor.end, field: field)
      }
    }
    return tensor
  }

  /// A key and its value (StringStringEntryProto).
  func entry(_ message: ProtocolBufferCursor) throws(CheckpointError) -> (String, String) {
    var cursor = message
    var entry = ("", "")
    while let field = try cursor.next() {
      if field.number == 1 { entry.0 = try cursor.text(field) }
      if field.number == 2 { entry.1 = try cursor.text(field, limit: 1 << 24) }
    }
    return entry
  }

  /// Elements in a file of their own, beside the model and nowhere else.
  private func externalStorage(
    _ entries: [String: String], _ needed: Int, _ part: String
  ) throws(CheckpointError) -> ONNXTensor.Storage {
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(path: file.path, part: "\(part), external data", reason: reason)
    }
    let location = entries["location"] ?? ""
    guard !location.isEmpty, location.utf8.count <= 255, location != ".", location != "..",
      !location.utf8.contains(0), !location.contains("/"), !location.contains("\\")
    else {
      throw damaged(
        "expected the name of a file beside the model, found \(String(reflecting: location))")
    }
    let folder = file.path.lastIndex(of: "/").map { file.path[...$0] } ?? ""
    let beside = try files.open(folder + location)
    let offset = entries["offset"].map { Int($0) ?? -1 } ?? 0
    let length = entries["length"].map { Int($0) ?? -1 } ?? needed
    guard offset >= 0, length == needed else {
      throw damaged("expected \(needed) bytes, found \(length) at \(offset)")
    }
    guard offset <= beside.byteCount, needed <= beside.byteCount - offset else {
      throw .truncated(
        path: beside.path, part: part, expected: needed, found: max(beside.byteCount - offset, 0))
    }
    return .plain(beside, offset..<offset + needed)
  }

  /// TensorProto.DataType.
  private static let elementTypes: [Int: ElementType] = [
    1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool,
    10: .float16, 11: .float64, 12: .uint32, 13: .uint64, 16: .bfloat16,
  ]

  /// The field that has the elements of a type that are not raw.
  private static func field(of type: ElementType) -> Int {
    switch type {
    case .float32: 4
    case .int64: 7
    case .float64: 10
    case .uint32, .uint64: 11
    default: 5
    }
  }
}
