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
    if case .value(let other) = try given(1) { return .value(try multiplied(input, other)) }
    // Matrices of a file are the weights of a layer.
    guard let weight = try parameter(1), weight.shape.count == 2 else {
      return .value(try multiplied(input, try value(1)))
    }
    try checkFeatures(of: input, weight.shape)
    return .value(
      try add(
        .linear(Linear(outFeatures: weight.shape[0], bias: false)), [input],
        name: layer(weight.name),
        parameters: [weight.name]))
  }

  /// The product of matrices, of which the smaller number of dimensions is filled up in front.
  private mutating func multiplied(_ a: Int, _ b: Int) throws(InterchangeError) -> Int {
    let ranks = (rank(a), rank(b))
    guard min(ranks.0, ranks.1) >= 2 else {
      throw unsupported("matrices are needed; the shapes are \(shapes[a][0]) and \(shapes[b][0])")
    }
    let most = max(ranks.0, ranks.1)
    var factors: [Int] = []
    for (value, rank) in [(a, ranks.0), (b, ranks.1)] {
      let ones = [Int](repeating: 1, count: most - rank)
      factors.append(try reshaped(value, to: shapes[value].map { ones + $0 }))
    }
    return try add(.matmul, factors)
  }
}
