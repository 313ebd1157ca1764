import AviaryGraph

/// A picture that an ONNX model takes.
struct ONNXInput {
  var name: String
  var channels: Int
  /// The height and width that the file states; nil where one of them is free.
  var size: Size?

  /// The inputs of a model.
  static func inputs(of model: ONNXModel) throws(InterchangeError) -> [ONNXInput] {
    guard (1...GraphLimits.inputs).contains(model.inputs.count) else {
      throw .description(
        part: "the graph's inputs",
        problem: "1 to \(GraphLimits.inputs) expected, \(model.inputs.count) found")
    }
    var inputs: [ONNXInput] = []
    for port in model.inputs {
      // float32, float16, float64 and bfloat16.
      guard let shape = port.shape, shape.count == 4, [1, 10, 11, 16].contains(port.elementType)
      else {
        throw .description(
          part: "input \(port.name)",
          problem: "pictures of floating-point numbers, [n, channels, height, width], expected, "
            + "\(text(port)) found")
      }
      guard let channels = shape[1] ?? channels(of: port.name, model),
        channels <= GraphLimits.channels
      else {
        throw .description(
          part: "input \(port.name)", problem: "a number of channels expected, none found")
      }
      var size: Size?
      if let height = shape[2], let width = shape[3] {
        guard max(height, width) <= 1 << 16 else {
          throw .description(
            part: "input \(port.name)",
            problem: "at most 65536 pixels a side expected, \(height)x\(width) found")
        }
        size = Size(height, width)
      }
      inputs.append(ONNXInput(name: port.name, channels: channels, size: size))
    }
    return inputs
  }

  /// The channels that the convolution takes which an input goes to.
  private static func channels(of name: String, _ model: ONNXModel) -> Int? {
    for (position, node) in model.nodes.enumerated()
    where node.kind == "Conv" && node.input(0) == name {
      guard model.parameters.names[ONNXParameters.Slot(node: position, input: 1)] != nil,
        let weight = node.input(1).flatMap({ model.constants[$0] }), weight.shape.count == 4
      else { continue }
      let (channels, overflow) = weight.shape[1]
        .multipliedReportingOverflow(by: node.integer("group") ?? 1)
      if !overflow, channels > 0 { return channels }
    }
    return nil
  }

  private static func text(_ port: ONNXModel.Port) -> String {
    let shape = port.shape?.map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
    return "[\(shape ?? "")] of type \(port.elementType ?? 0)"
  }
}
