import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Sort: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let input = writer.name(node.inputs[0])
    let kept: String
    if let count {
      kept = writer.integers(node, "count", [count])
    } else {
      let shape = writer.step("Shape", node, [input])
      kept = writer.step("Gather", node, [shape, writer.integers(node, "dimension", [dimension])])
    }
    writer.emitTopK(
      node, [input, kept], value, part,
      [
        ("axis", .integer(dimension)), ("largest", .integer(descending ? 1 : 0)),
        ("sorted", .integer(1)),
      ])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer puts elements in order")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    // A stable order, as `topk` does not promise one.
    let sorted =
      "\(expression.object(inputs[0])).sort(dim=\(dimension), descending=\(descending ? "True" : "False"), "
      + "stable=True)"
    let result =
      part == .values ? "\(sorted).values" : "\(sorted).indices.to(torch.float32)"
    return count.map { "\(result).narrow(\(dimension), 0, \($0))" } ?? result
  }
}

extension Sort: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["TopK": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.topK()
  }
}

extension ONNXWriter {
  /// Adds `TopK`, of whose two results the node is one; indices become float32 numbers.
  fileprivate mutating func emitTopK(
    _ node: Graph.Node, _ inputs: [String], _ value: Int, _ part: Sort.Part,
    _ attributes: [(String, ONNXModelBuilder.Attribute)]
  ) {
    let results = steps("TopK", node, inputs, ["values", "indices"], attributes)
    switch part {
    case .values: emit("Identity", node, [results[0]], value)
    case .indices: emit("Cast", node, [results[1]], value, [("to", .integer(Self.float32))])
    }
  }
}

extension ONNXReader {
  fileprivate mutating func topK() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let dimension = try axis(node.integer("axis") ?? -1, rank: rank(input))
    let largest = node.integer("largest") ?? 1 != 0
    var sort = Sort(dimension: dimension, descending: largest)
    let isAll: Bool
    if version < 10 {
      isAll = false
      sort.count = node.integer("k")
    } else {
      guard let numbers = try numbers(1), numbers.count == 1 else {
        throw unsupported("a number of elements that follows from shapes is needed")
      }
      let sizes = shapes[input].map { Double($0[dimension]) }
      isAll = samples.shapes.indices.allSatisfy { numbers.row($0) == [sizes[$0]] }
      sort.count = isAll ? nil : numbers.integers?.first
    }
    guard isAll || sort.count != nil else {
      throw unsupported("the number of elements depends on the image's size")
    }
    let values = try add(sort.op, [input])
    if node.outputs.count > 1, !node.outputs[1].isEmpty {
      sort.part = .indices
      operands[node.outputs[1]] = .value(try add(sort.op, [input]))
    }
    return .value(values)
  }
}
