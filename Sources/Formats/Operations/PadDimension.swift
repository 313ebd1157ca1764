import AviaryGraph

extension PadDimension: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    guard mode.onnx != nil else {
      let padded = writer.padded(
        writer.name(node.inputs[0]), dimension, before: before, after: after, mode, node)
      return writer.emit("Identity", node, [padded], value)
    }
    var (starts, ends) = (writer.shapes[value].map { _ in 0 }, writer.shapes[value].map { _ in 0 })
    (starts[dimension], ends[dimension]) = (before, after)
    writer.pad(node, value, before: starts, after: ends, mode, filling: self.value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    guard mode == .zero, value == 0, (2...3).contains(dimension), inputs[0].order.count == 4 else {
      throw builder.refusal(
        node.name, "no layer pads anything but the rows and columns of images, by zeros")
    }
    let amounts =
      dimension == 2
      ? PaddingAmounts(before, 0, after, 0) : PaddingAmounts(0, before, 0, after)
    return builder.padded(try builder.picture(inputs[0], node.name), amounts, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    guard mode == .zero else {
      return expression.padded(
        inputs[0], dimension, before: before, after: after, mode, &forward)
    }
    // The last dimension comes first.
    let rank = expression.shapes.values[expression.node.inputs[0]].count
    var amounts = [Int](repeating: 0, count: 2 * (rank - dimension))
    (amounts[amounts.count - 2], amounts[amounts.count - 1]) = (before, after)
    let filling = value == 0 ? "" : ", value=\(value)"
    return "F.pad(\(inputs[0]), \(PythonText.tuple(amounts))\(filling))"
  }
}
