import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension MatMul: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit("MatMul", node, node.inputs.map { writer.name($0) }, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer multiplies matrices as it does")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "torch.matmul(\(inputs[0]), \(inputs[1]))"
  }
}

/// With a constant it is read as `Linear`.
extension MatMul: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "MatMul": [ONNXWeight(input: 1, suffix: "weight", layout: .matrix)], "Einsum": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    reader.node.kind == "Einsum" ? try reader.einsum() : try reader.matmul()
  }
}

extension ONNXReader {
  mutating func matmul() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    if case .value(let other) = try given(1) { return .value(try add(.matmul, [input, other])) }
    guard let weight = try parameter(1), weight.shape.count == 2 else {
      throw unsupported("a matrix of weights expected")
    }
    return .value(
      try add(
        .linear(Linear(outFeatures: weight.shape[0], bias: false)), [input],
        name: layer(weight.name),
        parameters: [weight.name]))
  }
}
