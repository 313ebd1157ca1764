import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Where: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let inputs = node.inputs.map { writer.name($0) }
    // ONNX's condition is a truth value, 9 in its list of types.
    let condition = writer.step("Cast", node, [inputs[0]], [("to", .integer(9))])
    writer.emit("Where", node, [condition, inputs[1], inputs[2]], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no layer of Keras's computes where")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "torch.where(\(expression.object(inputs[0])) != 0, \(inputs[1]), \(inputs[2]))"
  }
}

extension Where: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Where": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    guard case .value = try reader.given(0) else {
      throw reader.unsupported("expected a value of the network as the condition")
    }
    return .value(try reader.add(.where, try reader.values()))
  }
}

extension Where: KerasMergeOperation {
  static let kerasMerges: [String] = []
  static let kerasMergeFunctions = ["where", "select", "selectv2"]

  static func merge(
    _ layer: KerasLayer, function word: String?, _ operands: [KerasImport.Operand],
    _ call: KerasCall, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let values = try importer.values(operands, of: layer)
    guard values.count == 3 else {
      throw layer.refusal("expected 3 values, found \(values.count)")
    }
    let (a, b) = try importer.aligned(values[1], values[2], layer)
    let (condition, first) = try importer.aligned(values[0], a, layer)
    let (_, second) = try importer.aligned(condition, b, layer)
    return try importer.add(.where, [condition, first, second], name: layer.fullName, of: layer)
  }
}
