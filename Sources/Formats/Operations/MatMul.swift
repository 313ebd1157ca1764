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

extension MatMul: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let shapes = node.inputs.map { writer.shapes[$0] }
    // More matrices than one: each with each, and not one with all.
    guard shapes[0].count == shapes[1].count, shapes[0].count > 2,
      shapes[0].count == 3 || shapes[0][1] == shapes[1][1]
    else {
      throw writer.refusal(
        node, "ncnn multiplies matrices of as many dimensions, and as many of them")
    }
    try writer.emit("MatMul", node, node.inputs.map { writer.blob($0) }, value)
  }
}

extension MatMul: NCNNReadOperation {
  static let ncnnLayers = ["MatMul"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    var factors = try importer.values(of: layer, count: 2)
    let rank = importer.shape(factors[0]).count
    guard rank > 2, importer.shape(factors[1]).count == rank else {
      throw layer.unsupported("expected matrices of as many dimensions")
    }
    if try layer.integer(0, in: 0...1) == 1 {
      let order = Array(0..<rank - 2) + [rank - 1, rank - 2]
      factors[1] = try importer.add(.permute(Permute(order)), layer, [factors[1]])
    }
    try importer.give(layer, .value(try importer.add(.matmul, layer, factors)))
  }
}
