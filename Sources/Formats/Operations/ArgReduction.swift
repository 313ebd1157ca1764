import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension ArgReduction: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let place = writer.step(
      kind == .argmax ? "ArgMax" : "ArgMin", node, [writer.name(node.inputs[0])],
      [("axis", .integer(dimension)), ("keepdims", .integer(keepsDimensions ? 1 : 0))])
    writer.emit("Cast", node, [place], value, [("to", .integer(ONNXWriter.float32))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer gives the place of an element")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let keeps = keepsDimensions ? ", keepdim=True" : ""
    return "\(expression.object(inputs[0])).\(kind.rawValue)(\(dimension)\(keeps))"
      + ".to(torch.float32)"
  }
}

extension ArgReduction: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["ArgMax": [], "ArgMin": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    let input = try reader.value(0)
    guard reader.node.integer("select_last_index") ?? 0 == 0 else {
      throw reader.unsupported("the last of several equal elements; the first is read")
    }
    let dimension = try reader.axis(reader.node.integer("axis") ?? 0, rank: reader.rank(input))
    let reduction = ArgReduction(
      reader.node.kind == "ArgMax" ? .argmax : .argmin, dimension: dimension,
      keepsDimensions: reader.node.integer("keepdims") ?? 1 != 0)
    return .value(try reader.add(reduction.op, [input]))
  }
}
