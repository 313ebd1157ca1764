import AviaryGraph

extension PadToMultiple: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let input = writer.name(node.inputs[0])
    let size = writer.size(of: input, 2..<4, times: Ratio(1), node)
    // ONNX's remainder has the sign of the divisor.
    let missing = writer.step(
      "Mod", node,
      [
        writer.step("Neg", node, [size]),
        writer.integers(node, "multiple", [multiple.height, multiple.width]),
      ])
    guard mode.onnx == nil else {
      let none = writer.integers(node, "none", [0, 0, 0, 0, 0, 0])
      let pads = writer.step("Concat", node, [none, missing], [("axis", .integer(0))])
      return writer.pad(node, value, pads, mode, filling: 0)
    }
    var current = input
    for (position, dimension) in [2, 3].enumerated() {
      let axis = writer.integers(node, "axis", [dimension])
      let count = writer.step(
        "Slice", node,
        [
          missing, writer.integers(node, "from", [position]),
          writer.integers(node, "to", [position + 1]),
        ])
      let part =
        mode == .circular
        ? writer.step("Slice", node, [current, writer.integers(node, "start", [0]), count, axis])
        : writer.step(
          "Slice", node,
          [
            current, writer.integers(node, "last", [-1]),
            // -1 less the number; of none, -1, which is where it begins.
            writer.step("Sub", node, [writer.integers(node, "end", [-1]), count]), axis,
            writer.integers(node, "step", [-1]),
          ])
      current = writer.step(
        "Concat", node, [current, part], [("axis", .integer(dimension))])
    }
    writer.emit("Identity", node, [current], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer pads by what an image lacks to a multiple")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    let (down, across) = (
      "-\(x).shape[2] % \(multiple.height)", "-\(x).shape[3] % \(multiple.width)"
    )
    if let mode = mode.pytorch() { return "F.pad(\(x), (0, \(across), 0, \(down))\(mode))" }
    forward.need(.padAlong)
    return "pad_along(pad_along(\(x), 2, 0, \(down), \"\(mode.rawValue)\"), 3, 0, \(across), "
      + "\"\(mode.rawValue)\")"
  }

  var repeatsOperand: Bool { true }
}

extension CropToSize: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let dimensions = dimensions
    let ends = writer.size(
      of: writer.name(node.inputs[1]), dimensions[0]..<dimensions[dimensions.count - 1] + 1,
      times: scale, node)
    writer.emit(
      "Slice", node,
      [
        writer.name(node.inputs[0]), writer.integers(node, "starts", dimensions.map { _ in 0 }),
        ends, writer.integers(node, "axes", dimensions),
      ], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer crops to another value's size")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let other = expression.object(inputs[1])
    let ends = Axis.allCases.map { axis in
      axes.contains(axis) ? ":" + scale.python("\(other).shape[\(axis.dimension)]") : ":"
    }
    return "\(expression.object(inputs[0]))[:, :, \(ends.joined(separator: ", "))]"
  }
}

extension CropToSize: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    // ncnn takes the number of channels from the other blob, too.
    guard scale == Ratio(1), axes.count == 2,
      writer.shapes[node.inputs[1]].count == 4,
      writer.shapes[node.inputs[1]][1] == writer.shapes[value][1]
    else {
      throw writer.refusal(
        node, "ncnn crops to another image of as many channels, and no part of it")
    }
    try writer.emit("Crop", node, node.inputs.map { writer.blob($0) }, value)
  }
}
