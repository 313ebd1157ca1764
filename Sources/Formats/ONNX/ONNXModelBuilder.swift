import AviaryContainers
package import AviaryTensor
import AviaryFiles

/// An ONNX model that is being written down: version 8 of the representation, version 17 of the
/// operators, which everything of the last years reads.
package struct ONNXModelBuilder {
  /// An attribute's value.
  package enum Attribute {
    case float(Double)
    case integer(Int)
    case integers([Int])
    case text(String)
  }

  /// A dimension of an input or output: a number, or a name for what is free.
  package enum Dimension {
    case number(Int)
    case name(String)
  }

  private var graph = ProtocolBufferMessage()
  private var constants = ProtocolBufferMessage()
  private var ports = ProtocolBufferMessage()

  /// What a protocol buffer may have of bytes, as every reader of them checks.
  private static let limit = Int(Int32.max)

  /// An empty model.
  package init() {}

  /// Adds an operation.
  package mutating func node(
    _ kind: String, name: String, _ inputs: [String], _ outputs: [String],
    _ attributes: [(String, Attribute)] = []
  ) {
    var node = ProtocolBufferMessage()
    for input in inputs { node.add(1, input) }
    for output in outputs { node.add(2, output) }
    node.add(3, name)
    node.add(4, kind)
    for (name, value) in attributes {
      var attribute = ProtocolBufferMessage()
      attribute.add(1, name)
      let type: Int
      switch value {
      case .float(let number):
        attribute.add(2, Float(number))
        type = 1
      case .integer(let number):
        attribute.add(3, number)
        type = 2
      case .text(let text):
        attribute.add(4, text)
        type = 3
      case .integers(let numbers):
        // Not packed: the definition of the format is older than packing.
        for number in numbers { attribute.add(8, number) }
        type = 7
      }
      attribute.add(20, type)
      node.add(5, attribute)
    }
    graph.add(1, node)
  }

  /// Adds constant integers, in a row unless another shape is stated.
  package mutating func constant(_ name: String, integers: [Int], shape: [Int]? = nil) {
    var tensor = header(name, shape: shape ?? [integers.count], type: 7)
    tensor.add(
      9,
      bytes: integers.flatMap { number in
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      })
    constants.add(5, tensor)
  }

  /// Adds constant numbers.
  package mutating func constant(_ name: String, floats: [Double], shape: [Int]) {
    var tensor = header(name, shape: shape, type: 1)
    tensor.add(9, bytes: floats.flatMap { ProtocolBufferMessage.littleEndian(Float($0)) })
    constants.add(5, tensor)
  }

  /// Adds a float32 tensor that is read when it is written.
  package mutating func constant(
    _ name: String, shape: [Int], _ load: @escaping () throws -> Tensor
  ) {
    var tensor = header(name, shape: shape, type: 1)
    tensor.add(9, byteCount: 4 * shape.reduce(1, *), elements: load)
    constants.add(5, tensor)
  }

  /// Adds an input (`isInput`) or output of float32 numbers.
  package mutating func port(_ name: String, _ shape: [Dimension], isInput: Bool) {
    var dimensions = ProtocolBufferMessage()
    for dimension in shape {
      var message = ProtocolBufferMessage()
      switch dimension {
      case .number(let number): message.add(1, number)
      case .name(let name): message.add(2, name)
      }
      dimensions.add(1, message)
    }
    var tensor = ProtocolBufferMessage()
    tensor.add(1, 1)
    tensor.add(2, dimensions)
    var type = ProtocolBufferMessage()
    type.add(1, tensor)
    var port = ProtocolBufferMessage()
    port.add(1, name)
    port.add(2, type)
    ports.add(isInput ? 11 : 12, port)
  }

  /// Writes the model, whole or not at all.
  ///
  /// - Parameters:
  ///   - record: our record, as JSON; asked for once all tensors are written.
  ///   - producer: the version of what writes.
  /// - Throws: `CheckpointError`, or what reading the tensors throws.
  package func write(
    to path: String, record: @autoclosure () throws -> String?, producer: String
  ) throws {
    var graph = graph
    graph.add(2, "aviary")
    graph.append(constants)
    graph.append(ports)
    var operators = ProtocolBufferMessage()
    operators.add(1, "")
    operators.add(2, 17)
    var model = ProtocolBufferMessage()
    model.add(1, 8)
    model.add(2, "aviary")
    model.add(3, producer)
    model.add(7, graph)
    model.add(8, operators)
    func check(_ byteCount: Int) throws {
      guard byteCount <= ONNXModelBuilder.limit else {
        throw CheckpointError.tooLarge(
          path: path, part: "an ONNX file, bytes", limit: ONNXModelBuilder.limit, found: byteCount)
      }
    }
    try check(model.byteCount)
    do {
      let file = try AtomicFile(replacing: path)
      for piece in model.pieces {
        switch piece {
        case .bytes(let bytes): try file.write(bytes)
        case .elements(let count, let load):
          let tensor = try load()
          guard tensor.elementType == .float32, tensor.byteCount == count else {
            throw CheckpointError.damaged(
              path: path, part: "a tensor",
              reason: "expected \(count) bytes, "
                + "found \(tensor.byteCount) of \(tensor.elementType)")
          }
          try unsafe tensor.withUnsafeBytes { try unsafe file.write($0) }
        }
      }
      if let record = try record() {
        var entry = ProtocolBufferMessage()
        entry.add(1, ONNXFile.recordKey)
        entry.add(2, record)
        var last = ProtocolBufferMessage()
        last.add(14, entry)
        try check(model.byteCount + last.byteCount)
        for case .bytes(let bytes) in last.pieces { try file.write(bytes) }
      }
      try file.commit()
    } catch let error as FileError {
      throw CheckpointError(error)
    }
  }

  private func header(_ name: String, shape: [Int], type: Int) -> ProtocolBufferMessage {
    var tensor = ProtocolBufferMessage()
    for dimension in shape { tensor.add(1, dimension) }
    tensor.add(2, type)
    tensor.add(8, name)
    return tensor
  }
}
