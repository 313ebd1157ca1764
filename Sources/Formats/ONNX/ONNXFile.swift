import AviaryContainers
import AviaryFiles
import AviaryTensor

/// Reads ONNX (onnx.proto; the numbers of fields are given there): the graph now, the elements of
/// its tensors when asked for.
struct ONNXFile {
  let file: ProtocolBufferFile
  /// The files beside the model.
  let files = ExternalFiles()
  private var model = ONNXModel(
    version: 0, operatorSets: [:], producer: "", metadata: [:], inputs: [], outputs: [], nodes: [],
    constants: [:])

  /// The most nodes, constants, inputs or outputs, and the most members of one of them. Constants
  /// are nodes too, so that a model has more of them than a graph.
  private static let limit = 1 << 17
  private static let memberLimit = 1 << 12

  /// Reads the weights of a model, and the model.
  static func read(_ path: String) throws(CheckpointError) -> WeightsFile {
    var reader = ONNXFile(file: try ProtocolBufferFile(path))
    try reader.readModel()
    var model = reader.model
    try model.parameters.find(in: model, path: path)
    var version = model.producer
    if let set = model.operatorSets[""] {
      version += (version.isEmpty ? "" : ", ") + "opset \(set)"
    }
    let record = model.metadata.removeValue(forKey: ONNXFile.recordKey)
    var unwrapping = Unwrapping()
    unwrapping.metadata = model.metadata.sorted { $0.key < $1.key }.map {
      Unwrapping.Entry(name: $0.key, value: $0.value)
    }
    return WeightsFile(
      path: path, format: .onnx, tensors: try model.parameters.source(path: path),
      unwrapping: unwrapping, origin: Origin(.onnx, version: version.isEmpty ? nil : version),
      network: .onnx(model), record: record)
  }

  /// The key of the model's metadata under which our record travels.
  static let recordKey = "aviary"

  private init(file: ProtocolBufferFile) { self.file = file }

  // MARK: - Messages

  private mutating func readModel() throws(CheckpointError) {
    var cursor = ProtocolBufferCursor(file, 0..<file.byteCount, part: "the model")
    var producer: [String] = []
    var hasGraph = false
    while let field = try cursor.next() {
      switch field.number {
      case 1: model.version = field.integer ?? 0
      case 2, 3: producer.append(try cursor.text(field))
      case 7:
        hasGraph = true
        try readGraph(try cursor.message(field, "the graph"))
      case 8:
        let (domain, version) = try operatorSet(try cursor.message(field, "an operator set"))
        guard model.operatorSets.count < ONNXFile.memberLimit else { throw many(cursor.part) }
        // ONNX's own domain has two names.
        model.operatorSets[domain == "ai.onnx" ? "" : domain] = version
      case 14:
        let (key, value) = try entry(try cursor.message(field, "the metadata"))
        guard model.metadata.count < ONNXFile.memberLimit else { throw many("the metadata") }
        model.metadata[key] = value
      default: break
      }
    }
    model.producer = producer.filter { !$0.isEmpty }.joined(separator: " ")
    guard hasGraph else {
      throw .damaged(path: file.path, part: "the model", reason: "it has no graph")
    }
    // Models of the first versions list their constants among the inputs.
    model.inputs.removeAll { model.constants[$0.name] != nil }
  }

  private mutating func readGraph(_ graph: ProtocolBufferCursor) throws(CheckpointError) {
    var cursor = graph
    while let field = try cursor.next() {
      switch field.number {
      case 1:
        guard model.nodes.count < ONNXFile.limit else { throw many("nodes") }
        model.nodes.append(try node(try cursor.message(field, "a node")))
      case 5:
        guard model.constants.count < ONNXFile.limit else { throw many("constants") }
        let message = try cursor.message(field, "a constant")
        guard let tensor = try tensor(message) else { continue }
        model.constants[tensor.name] = tensor
      case 11, 12:
        let port = try port(try cursor.message(field, "an input or output"))
        guard model.inputs.count + model.outputs.count < ONNXFile.limit else {
          throw many("inputs and outputs")
        }
        if field.number == 11 { model.inputs.append(port) } else { model.outputs.append(port) }
      default: break
      }
    }
  }

  private func node(_ message: ProtocolBufferCursor) throws(CheckpointError) -> ONNXModel.Node {
    var cursor = message
    var node = ONNXModel.Node()
    while let field = try cursor.next() {
      switch field.number {
      case 1, 2:
        guard node.inputs.count + node.outputs.count < ONNXFile.memberLimit else {
          throw many("a node's inputs and outputs")
        }
        let name = try cursor.text(field)
        if field.number == 1 { node.inputs.append(name) } else { node.outputs.append(name) }
      case 3: node.name = try cursor.text(field)
      case 4: node.kind = try cursor.text(field)
      case 5:
        guard node.attributes.count < ONNXFile.memberLimit else { throw many("attributes") }
        let (name, value) = try attribute(try cursor.message(field, "an attribute"))
        node.attributes[name] = value
      case 7:
        let domain = try cursor.text(field)
        node.domain = domain == "ai.onnx" ? "" : domain
      default: break
      }
    }
    return node
  }

  /// The first versions do not state an attribute's kind: what is there tells it.
  private func attribute(
    _ message: ProtocolBufferCursor
  ) throws(CheckpointError) -> (String, ONNXModel.Attribute) {
    var cursor = message
    var name = ""
    var kind: Int?
    var value: ONNXModel.Attribute?
    var integers: [Int] = []
    var floats: [Double] = []
    var texts: [String] = []
    while let field = try cursor.next() {
      switch field.number {
      case 1: name = try cursor.text(field)
      case 2: value = .float(Double(field.float ?? 0))
      case 3: value = .integer(field.integer ?? 0)
      case 4: value = .text(try cursor.text(field, limit: 1 << 20))
      case 5:
        let message = try cursor.message(field, "the constant of \(name)")
        value = try tensor(message).map { .tensor($0) } ?? .other
      case 7:
        floats += try cursor.floats(field).map(Double.init)
      case 8: integers += try cursor.integers(field)
      case 9: texts.append(try cursor.text(field))
      case 20: kind = field.integer
      case 6, 10, 11, 14, 15, 22, 23: value = .other
      default: break
      }
      guard integers.count + floats.count + texts.count <= 1 << 16 else { throw many(name) }
    }
    if let value { return (name, value) }
    // A kind of its own says what an empty list is a list of.
    if !texts.isEmpty || kind == 8 { return (name, .texts(texts)) }
    if !floats.isEmpty || kind == 6 { return (name, .floats(floats)) }
    // What is 0 or empty may be left out altogether.
    switch kind {
    case 1: return (name, .float(0))
    case 2: return (name, .integer(0))
    case 3: return (name, .text(""))
    default: return (name, .integers(integers))
    }
  }

  private func port(_ message: ProtocolBufferCursor) throws(CheckpointError) -> ONNXModel.Port {
    var port = ONNXModel.Port(name: "")
    var cursor = message
    while let field = try cursor.next() {
      switch field.number {
      case 1: port.name = try cursor.text(field)
      case 2:
        var type = try cursor.message(field, "the type of \(port.name)")
        while let field = try type.next() {
          // A tensor; sequences and maps have other numbers.
          guard field.number == 1 else { continue }
          var tensor = try type.message(field, type.part)
          while let field = try tensor.next() {
            switch field.number {
            case 1: port.elementType = field.integer
            case 2: port.shape = try dimensions(try tensor.message(field, type.part))
            default: break
            }
          }
        }
      default: break
      }
    }
    return port
  }

  private func dimensions(_ message: ProtocolBufferCursor) throws(CheckpointError) -> [Int?] {
    var cursor = message
    var shape: [Int?] = []
    while let field = try cursor.next() {
      guard field.number == 1 else { continue }
      guard shape.count < 64 else { throw many("\(cursor.part), dimensions") }
      var size: Int?
      var dimension = try cursor.message(field, cursor.part)
      while let field = try dimension.next() {
        if field.number == 1 { size = field.integer }
      }
      // Zero and less are ways to say that it is not known.
      shape.append(size.flatMap { $0 > 0 ? $0 : nil })
    }
    return shape
  }

  private func operatorSet(
    _ message: ProtocolBufferCursor
  ) throws(CheckpointError) -> (String, Int) {
    var cursor = message
    var result = ("", 1)
    while let field = try cursor.next() {
      if field.number == 1 { result.0 = try cursor.text(field) }
      if field.number == 2 { result.1 = field.integer ?? 1 }
    }
    return result
  }

  private func many(_ part: String) -> CheckpointError {
    .tooLarge(
      path: file.path, part: part, limit: ONNXFile.memberLimit, found: ONNXFile.memberLimit + 1)
  }
}

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
  /// What a tensor is and where its elements lie; nil for elements that no tensor of ours has
  /// (text, complex numbers, packed nibbles).
  ///
  /// - Throws: where elements are missing, or lie outside the file.
  func tensor(_ message: ProtocolBufferCursor) throws(CheckpointError) -> ONNXTensor? {
    var cursor = message
    let start = cursor.position
    var (name, kind, shape) = ("", 0, [Int]())
    var raw: Range<Int>?
    // The fields that hold numbers, by field: how many bytes, and where where they are in one
    // piece.
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
