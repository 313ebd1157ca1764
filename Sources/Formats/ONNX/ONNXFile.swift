import AviaryContainers

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
  static func read(
    _ path: String, _ options: ONNXOptions = ONNXOptions()
  ) throws(CheckpointError) -> WeightsFile {
    var reader = ONNXFile(file: try ProtocolBufferFile(path))
    try reader.readModel()
    var model = reader.model
    model.options = options
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
        add(try graph(try cursor.message(field, "the graph"), depth: 0))
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
  }

  /// A graph as a file has it: the model's own, or a branch of If in an attribute.
  private struct Parsed {
    var nodes: [(node: ONNXModel.Node, branches: [String: Parsed])] = []
    var constants: [String: ONNXTensor] = [:]
    var inputs: [ONNXModel.Port] = []
    var outputs: [ONNXModel.Port] = []
  }

  private func graph(
    _ message: ProtocolBufferCursor, depth: Int
  ) throws(CheckpointError) -> Parsed {
    guard depth < 16 else { throw message.damaged("graphs 16 deep in each other") }
    var cursor = message
    var graph = Parsed()
    while let field = try cursor.next() {
      switch field.number {
      case 1:
        guard graph.nodes.count < ONNXFile.limit else { throw many("nodes") }
        graph.nodes.append(try node(try cursor.message(field, "a node"), depth: depth))
      case 5:
        guard graph.constants.count < ONNXFile.limit else { throw many("constants") }
        let message = try cursor.message(field, "a constant")
        guard let tensor = try tensor(message) else { continue }
        graph.constants[tensor.name] = tensor
      case 11, 12:
        let port = try port(try cursor.message(field, "an input or output"))
        guard graph.inputs.count + graph.outputs.count < ONNXFile.limit else {
          throw many("inputs and outputs")
        }
        if field.number == 11 { graph.inputs.append(port) } else { graph.outputs.append(port) }
      default: break
      }
    }
    return graph
  }

  /// Makes a graph the model's: its own nodes first, then those of branches, whose values get names
  /// that no other branch has.
  private mutating func add(_ graph: Parsed) {
    model.constants = graph.constants
    // Models of the first versions list their constants among the inputs.
    model.inputs = graph.inputs.filter { graph.constants[$0.name] == nil }
    model.defaults = graph.inputs.filter { graph.constants[$0.name] != nil }
    model.outputs = graph.outputs
    model.ownNodeCount = graph.nodes.count
    model.nodes = graph.nodes.map(\.node)
    var waiting = graph.nodes.enumerated().flatMap { place, entry in
      entry.branches.map { (place: place, name: $0, graph: $1, renamed: [String: String]()) }
    }
    while let next = waiting.popLast() {
      var renamed = next.renamed
      let prefix = "\(next.name) of node \(next.place + 1): "
      for name in next.graph.nodes.flatMap(\.node.outputs) + next.graph.constants.keys
      where !name.isEmpty { renamed[name] = prefix + name }
      for (name, tensor) in next.graph.constants {
        model.constants[renamed[name] ?? name] = tensor
      }
      let first = model.nodes.count
      for entry in next.graph.nodes {
        var node = entry.node
        node.inputs = node.inputs.map { renamed[$0] ?? $0 }
        node.outputs = node.outputs.map { renamed[$0] ?? $0 }
        waiting += entry.branches.map { (model.nodes.count, $0, $1, renamed) }
        model.nodes.append(node)
      }
      model.nodes[next.place].attributes[next.name] = .branch(
        ONNXModel.Branch(
          nodes: first..<model.nodes.count,
          outputs: next.graph.outputs.map { renamed[$0.name] ?? $0.name }))
    }
  }

  private func node(
    _ message: ProtocolBufferCursor, depth: Int
  ) throws(CheckpointError) -> (ONNXModel.Node, [String: Parsed]) {
    var cursor = message
    var node = ONNXModel.Node()
    var branches: [String: Parsed] = [:]
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
        let message = try cursor.message(field, "an attribute")
        let (name, value, branch) = try attribute(message, depth: depth)
        node.attributes[name] = value
        branches[name] = branch
      case 7:
        let domain = try cursor.text(field)
        node.domain = domain == "ai.onnx" ? "" : domain
      default: break
      }
    }
    return (node, branches)
  }

  /// The first versions do not state an attribute's kind: what is there tells it.
  private func attribute(
    _ message: ProtocolBufferCursor, depth: Int
  ) throws(CheckpointError) -> (String, ONNXModel.Attribute, branch: Parsed?) {
    var cursor = message
    var branch: Parsed?
    var name = ""
    var kind: Int?
    var value: ONNXModel.Attribute?
    var integers: [Int] = []
    var floats: [Double] = []
    var texts: [String] = []
    while let field = try cursor.next() {
      switch field.number {
      case 1: name = try cursor.text(field)
      case 2: value = .float(Double(field.float ?? 0).meant)
      case 3: value = .integer(field.integer ?? 0)
      case 4: value = .text(try cursor.text(field, limit: 1 << 20))
      case 5:
        let message = try cursor.message(field, "the constant of \(name)")
        value = try tensor(message).map { .tensor($0) } ?? .other
      case 6:
        value = .other
        branch = try graph(try cursor.message(field, "the graph \(name)"), depth: depth + 1)
      case 7:
        floats += try cursor.floats(field).map(Double.init)
      case 8: integers += try cursor.integers(field)
      case 9: texts.append(try cursor.text(field))
      case 20: kind = field.integer
      case 10, 11, 14, 15, 22, 23: value = .other
      default: break
      }
      guard integers.count + floats.count + texts.count <= 1 << 16 else { throw many(name) }
    }
    if let value { return (name, value, branch) }
    // A kind of its own says what an empty list is a list of.
    if !texts.isEmpty || kind == 8 { return (name, .texts(texts), branch) }
    if !floats.isEmpty || kind == 6 { return (name, .floats(floats), branch) }
    // What is 0 or empty may be left out altogether.
    switch kind {
    case 1: return (name, .float(0), branch)
    case 2: return (name, .integer(0), branch)
    case 3: return (name, .text(""), branch)
    default: return (name, .integers(integers), branch)
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
