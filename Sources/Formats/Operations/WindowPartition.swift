import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension WindowPartition: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.windows(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer cuts an image of any size into windows")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.windows)
    let margins = margin == 0 ? "" : ", margin=\(PythonText.tuple(margin))"
    return "windows(\(inputs[0]), \(PythonText.tuple(window))\(margins)\(arrangement.python))"
  }
}

extension WindowReverse: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.image(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer puts windows together to an image")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.image)
    return "image(\(inputs[0]), \(PythonText.tuple(window))\(arrangement.python))"
  }
}

extension WindowArrangement {
  /// The argument of the functions of a PyTorch module.
  fileprivate var python: String { self == .grid ? ", grid=True" : "" }
}

extension ONNXWriter {
  /// The size along a dimension of a value, as a list of one number.
  private mutating func size(_ node: Graph.Node, _ value: String, _ dimension: Int) -> String {
    step(
      "Shape", node, [value], [("start", .integer(dimension)), ("end", .integer(dimension + 1))])
  }

  /// The image's dimensions taken apart, brought into order, and put together as windows. How many
  /// windows there are is calculated from the image's size.
  fileprivate mutating func windows(_ p: WindowPartition, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    let channels = shapes[node.inputs[0]][1]
    let counts = Axis.allCases.map { axis in
      step(
        "Div", node,
        [size(node, input, axis.dimension), integers(node, "window", [p.window[axis]])])
    }
    let apart: String
    var order = [0, 2, 4, 3, 5, 1]
    if p.margin == 0 {
      var sizes = [size(node, input, 0), integers(node, "channels", [channels])]
      for (axis, count) in zip(Axis.allCases, counts) {
        let window = integers(node, "window", [p.window[axis]])
        sizes += p.arrangement == .block ? [count, window] : [window, count]
      }
      if p.arrangement == .grid { order = [0, 3, 5, 2, 4, 1] }
      let target = step("Concat", node, sizes, [("axis", .integer(0))])
      apart = step("Reshape", node, [input, target])
    } else {
      let (y, x) = (p.margin.height, p.margin.width)
      var current = step(
        "Pad", node, [input, integers(node, "margins", [0, 0, y, x, 0, 0, y, x])])
      for (axis, count) in zip(Axis.allCases, counts) {
        // The rows, or columns, of every window.
        let all = step(
          "Range", node,
          [scalar(node, "zero", 0), step("Squeeze", node, [count]), scalar(node, "one", 1)])
        let first = step("Mul", node, [all, integers(node, "window", [p.window[axis]])])
        let column = step("Unsqueeze", node, [first, integers(node, "axis", [1])])
        let offsets = integers(node, "offsets", Array(0..<p.reach[axis]))
        let index = step("Add", node, [column, offsets])
        current = step(
          "Gather", node, [current, index],
          [("axis", .integer(axis == .vertical ? 2 : 4))])
      }
      apart = current
    }
    let ordered = step("Transpose", node, [apart], [("perm", .integers(order))])
    let target = integers(node, "shape", [0, 0, 0, p.reach.area, channels])
    emit("Reshape", node, [ordered, target], value)
  }

  /// The way back.
  fileprivate mutating func image(_ r: WindowReverse, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    let channels = shapes[node.inputs[0]][4]
    let apart = step(
      "Reshape", node,
      [
        input,
        integers(node, "windows", [0, 0, 0, r.window.height, r.window.width, channels]),
      ])
    let order = r.arrangement == .block ? [0, 5, 1, 3, 2, 4] : [0, 5, 3, 1, 4, 2]
    let ordered = step("Transpose", node, [apart], [("perm", .integers(order))])
    var sizes = [size(node, input, 0), integers(node, "channels", [channels])]
    for axis in Axis.allCases {
      sizes.append(
        step(
          "Mul", node,
          [size(node, input, axis.dimension - 1), integers(node, "window", [r.window[axis]])]))
    }
    let target = step("Concat", node, sizes, [("axis", .integer(0))])
    emit("Reshape", node, [ordered, target], value)
  }
}
