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

/// The rows of windows that lie over one another, gathered from an image with margins, before their
/// columns are.
struct ONNXWindowRows {
  /// The image with its margins.
  var image: Int
  /// How far the windows are apart, and how many rows each has.
  var window: Int
  var reach: Int
}

extension ONNXReader {
  /// Rows, or columns, gathered for windows whose number depends on the size of the image; nil where the
  /// node is another.
  mutating func windowRows() throws(InterchangeError) -> ONNXOperand? {
    let dimension = node.integer("axis") ?? 0
    guard let index = try numbers(1), index.constant == nil, index.shape.count == 2,
      let line = windowLine(index)
    else { return nil }
    switch try given(0) {
    case .value(let image) where dimension == 2 && rank(image) == 4:
      return .part(
        .windows(ONNXWindowRows(image: image, window: line.window, reach: line.reach)))
    case .part(.windows(let rows)) where dimension == 4:
      return .value(
        try partitioned(rows, Size(rows.window, line.window), Size(rows.reach, line.reach)))
    default: return nil
    }
  }

  /// How far windows are apart and how many lines each has, if these are their lines.
  private func windowLine(_ index: ONNXNumbers) -> (window: Int, reach: Int)? {
    let reach = index.shape[1]
    var window: Int?
    for sample in samples.shapes.indices {
      guard let row = index.row(sample).wholeNumbers, reach > 0, row.count.isMultiple(of: reach)
      else { return nil }
      if window == nil, row.count > reach { window = row[reach] }
      guard let window, window > 0,
        row.indices.allSatisfy({ row[$0] == $0 / reach * window + $0 % reach })
      else { return nil }
    }
    return window.map { ($0, reach) }
  }

  /// The windows of an image with zeros around it, [N, C, rows, lines of a window, columns, lines].
  private mutating func partitioned(
    _ rows: ONNXWindowRows, _ window: Size, _ reach: Size
  ) throws(InterchangeError) -> Int {
    let margins = [reach.height - window.height, reach.width - window.width]
    guard let source = source(rows.image), case .pad(let pad) = source.op, pad.mode == .zero,
      pad.value == 0, margins.allSatisfy({ $0 >= 0 && $0.isMultiple(of: 2) })
    else {
      throw unsupported(
        "windows that lie over one another are read of an image with zeros around it")
    }
    let margin = Size(margins[0] / 2, margins[1] / 2)
    guard
      pad.amounts == PaddingAmounts(margin.height, margin.width, margin.height, margin.width)
    else { throw unsupported("expected margins of \(margin), found \(pad.amounts)") }
    let windows = try add(
      .windowPartition(WindowPartition(window, margin: margin)), source.inputs)
    let apart = try reshaped(
      windows,
      to: shapes[windows].map { [$0[0], $0[1], $0[2], reach.height, reach.width, $0[4]] })
    return try permuted(apart, [0, 5, 1, 3, 2, 4])
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
      // The shape that the image has already, if it is a multiple of windows: of no other are there
      // windows.
      let whole = zip(Axis.allCases, counts).map { axis, count in
        step("Mul", node, [count, integers(node, "window", [p.window[axis]])])
      }
      let shape = step(
        "Concat", node, [integers(node, "kept", [0, 0])] + whole, [("axis", .integer(0))])
      let image = step("Reshape", node, [input, shape])
      var current = step(
        "Pad", node, [image, integers(node, "margins", [0, 0, y, x, 0, 0, y, x])])
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
