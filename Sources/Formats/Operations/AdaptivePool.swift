import AviaryGraph

extension AdaptivePool: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let input = writer.name(node.inputs[0])
    if target == .size(1) {
      return writer.emit(
        kind == .mean ? "GlobalAveragePool" : "GlobalMaxPool", node, [input], value)
    }
    let (from, to) = (writer.shapes[node.inputs[0]], writer.shapes[value])
    guard writer.graph.inputs.allSatisfy({ $0.size != nil }), from[2] % to[2] == 0,
      from[3] % to[3] == 0
    else {
      throw writer.refusal(
        node, "ONNX pools to a stated size only where an image of one size divides into windows")
    }
    let window = [from[2] / to[2], from[3] / to[3]]
    writer.emit(
      kind == .mean ? "AveragePool" : "MaxPool", node, [input], value,
      [("kernel_shape", .integers(window)), ("strides", .integers(window))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    guard target == .size(1) else {
      throw builder.refusal(node.name, "no stock layer pools to a size but that of one pixel")
    }
    return builder.add(
      kind == .mean ? "GlobalAveragePooling2D" : "GlobalMaxPooling2D", node.name,
      ["keepdims": true], [try builder.picture(inputs[0], node.name)])
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    let size =
      switch target {
      case .size(let size): PythonText.pair(size.height, size.width)
      case .factor(let ratio):
        "(\(ratio.python("\(x).shape[2]")), \(ratio.python("\(x).shape[3]")))"
      }
    return "F.\(kind == .mean ? "adaptive_avg_pool2d" : "adaptive_max_pool2d")(\(x), \(size))"
  }

  var repeatsOperand: Bool { if case .factor = target { true } else { false } }
}
