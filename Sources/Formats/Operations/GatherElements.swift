import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension GatherElements: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let places = writer.step(
      "Cast", node, [writer.name(node.inputs[1])], [("to", .integer(ONNXWriter.int64))])
    writer.emit(
      "GatherElements", node, [writer.name(node.inputs[0]), places], value,
      [("axis", .integer(dimension))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer takes elements at computed places")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    // PyTorch refuses negative places, and those that are not there.
    "\(expression.object(inputs[0])).gather(\(dimension), \(expression.object(inputs[1])).long())"
  }
}

extension GatherElements: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["GatherElements": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    let (input, places) = (try reader.value(0), try reader.value(1))
    let dimension = try reader.axis(reader.node.integer("axis") ?? 0, rank: reader.rank(input))
    return .value(try reader.add(GatherElements(dimension: dimension).op, [input, places]))
  }
}

extension ONNXWriter {
  /// ONNX's numbers of types.
  static let int64 = 7
  static let float32 = 1
}
