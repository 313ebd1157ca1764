import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension GridSample: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let grid = coordinates == .offsets ? writer.places(node) : writer.name(node.inputs[1])
    writer.emit(
      "GridSample", node, [writer.name(node.inputs[0]), grid], value,
      [
        ("mode", .text(mode.rawValue)), ("padding_mode", .text(paddingMode.rawValue)),
        ("align_corners", .integer(alignCorners ? 1 : 0)),
      ])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer samples an image at computed places")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    var grid = inputs[1]
    if coordinates == .offsets {
      forward.need(.places)
      grid = "places(\(inputs[1]), \(inputs[0]))"
    }
    return "F.grid_sample(\(inputs[0]), \(grid), mode=\"\(mode.rawValue)\", "
      + "padding_mode=\"\(paddingMode.rawValue)\", align_corners=\(alignCorners ? "True" : "False"))"
  }
}

extension ONNXWriter {
  /// Places from -1 to 1, of offsets in pixels: pixel i of n lies at (2 i + 1) / n - 1, and an image of
  /// m pixels is 2 wide.
  fileprivate mutating func places(_ node: Graph.Node) -> String {
    let image = name(node.inputs[0]), offsets = name(node.inputs[1])
    func sizes(_ writer: inout ONNXWriter, _ value: String, _ first: Int) -> [String] {
      let shape = writer.step("Shape", node, [value])
      return [0, 1].map { axis in
        writer.step("Gather", node, [shape, writer.scalar(node, "axis", first + axis)])
      }
    }
    let grid = sizes(&self, offsets, 1), pixels = sizes(&self, image, 2)
    let parts = steps("Split", node, [offsets], ["x", "y"], [("axis", .integer(3))])
    let float: [(String, ONNXModelBuilder.Attribute)] = [("to", .integer(ONNXWriter.float32))]
    let two = floats(node, "two", [2], rank: 0), one = floats(node, "one", [1], rank: 0)
    var moved: [String] = []
    for axis in [1, 0] {
      let numbers = step(
        "Range", node, [scalar(node, "zero", 0), grid[axis], scalar(node, "step", 1)])
      let centres = step(
        "Add", node, [step("Mul", node, [step("Cast", node, [numbers], float), two]), one])
      let count = step("Cast", node, [grid[axis]], float)
      let row = step("Sub", node, [step("Div", node, [centres, count]), one])
      // [width, 1], or [height, 1, 1], which repeats over images.
      let line = step(
        "Unsqueeze", node, [row, integers(node, "behind", axis == 1 ? [1] : [1, 2])])
      let width = step("Cast", node, [pixels[axis]], float)
      let distance = step(
        "Mul", node, [parts[axis == 1 ? 0 : 1], step("Div", node, [two, width])])
      moved.append(step("Add", node, [distance, line]))
    }
    return step("Concat", node, moved, [("axis", .integer(3))])
  }
}

extension GridSample: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["GridSample": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.gridSample()
  }
}

extension ONNXReader {
  fileprivate mutating func gridSample() throws(InterchangeError) -> ONNXOperand {
    let image = try value(0)
    let distances = try distances(1, in: image)
    let grid = if let distances { distances } else { try value(1) }
    let mode: GridSample.Mode
    // Version 20 of the operators has new words for the same.
    switch node.text("mode") ?? "linear" {
    case "bilinear", "linear": mode = .bilinear
    case "nearest": mode = .nearest
    case let word: throw unsupported("mode \(word); 'linear' and 'nearest' are read")
    }
    let word = node.text("padding_mode") ?? "zeros"
    guard let padding = GridSample.PaddingMode(rawValue: word) else {
      throw unsupported("padding_mode \(word)")
    }
    let sampling = GridSample(
      mode: mode, paddingMode: padding, alignCorners: node.integer("align_corners") ?? 0 != 0,
      coordinates: distances == nil ? .normalized : .offsets)
    return .value(try add(sampling.op, [image, grid]))
  }
}
