import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension GridSample: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "GridSample", node, node.inputs.map { writer.name($0) }, value,
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
    "F.grid_sample(\(inputs[0]), \(inputs[1]), mode=\"\(mode.rawValue)\", "
      + "padding_mode=\"\(paddingMode.rawValue)\", align_corners=\(alignCorners ? "True" : "False"))"
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
    let (image, grid) = (try value(0), try value(1))
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
      mode: mode, paddingMode: padding, alignCorners: node.integer("align_corners") ?? 0 != 0)
    return .value(try add(sampling.op, [image, grid]))
  }
}
