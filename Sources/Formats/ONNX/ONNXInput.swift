import AviaryGraph

/// An image that an ONNX model takes.
struct ONNXInput {
  var name: String
  var channels: Int
  /// The number of images at once that the file states; nil where it is free.
  var count: Int?
  /// The height and width that the file states; nil where they are free.
  var size: Size?

  /// The inputs of a model that are images.
  ///
  /// - Throws: `InterchangeError.description` for inputs that no graph of ours takes.
  static func images(of model: ONNXModel) throws(InterchangeError) -> [ONNXInput] {
    let ports = model.inputs.filter { !isNumber($0) }
    guard (1...GraphLimits.inputs).contains(ports.count) else {
      throw .description(
        part: "the graph's inputs",
        problem: "a network takes 1 to \(GraphLimits.inputs) images; this one takes \(ports.count)")
    }
    var inputs: [ONNXInput] = []
    for port in ports { inputs.append(try image(port, model)) }
    // Beside an input of one size the others have that size too.
    if let size = inputs.lazy.compactMap(\.size).first {
      for i in inputs.indices where inputs[i].size == nil { inputs[i].size = size }
    }
    return inputs
  }

  private static func image(
    _ port: ONNXModel.Port, _ model: ONNXModel
  ) throws(InterchangeError) -> ONNXInput {
    let part = "input \(port.name)"
    // float32, float16, float64 and bfloat16.
    guard let shape = port.shape, shape.count == 4, [1, 10, 11, 16].contains(port.elementType)
    else {
      throw .description(
        part: part,
        problem: "images of floating-point numbers, [n, channels, height, width], are read; "
          + "\(text(port)) is none")
    }
    guard let channels = shape[1] ?? channels(of: port.name, model),
      channels <= GraphLimits.channels
    else { throw .description(part: part, problem: "its number of channels is not stated") }
    var size: Size?
    if let height = shape[2], let width = shape[3] {
      size = Size(height, width)
    } else if shape[2] != nil || shape[3] != nil, model.options.size == nil {
      throw .description(
        part: part,
        problem: "\(text(port)) states one side of the image and leaves the other free; state the "
          + "size with --size WIDTHxHEIGHT")
    }
    if case .only(let stated)? = model.options.size {
      guard size == nil || size == stated else {
        throw .description(
          part: part,
          problem: "the network is made for \(shape[3] ?? 0)x\(shape[2] ?? 0), and not for "
            + "\(stated.width)x\(stated.height)")
      }
      size = stated
    }
    if let size {
      guard max(size.height, size.width) <= 1 << 16 else {
        throw .description(
          part: part,
          problem: "at most 65536 pixels a side are read, not \(size.width)x\(size.height)")
      }
    }
    if let count = shape[0], count > 1 << 10 {
      throw .description(part: part, problem: "at most 1024 images at once are read, not \(count)")
    }
    return ONNXInput(name: port.name, channels: channels, count: shape[0], size: size)
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

/// Inputs that are single numbers: a noise level, a scale. They are stated once, for all images.
extension ONNXInput {
  /// Whether an input is one number, or one for each image.
  private static func isNumber(_ port: ONNXModel.Port) -> Bool {
    guard let shape = port.shape, shape.count < 4 else { return false }
    return shape.allSatisfy { $0 == 1 } || shape.count == 1 && shape[0] == nil
  }

  /// What the inputs are that are single numbers, by name: as the user states them, or the file's
  /// default.
  ///
  /// - Throws: `InterchangeError.description` for one that nobody states, and for statements about what
  ///   is no such input.
  static func numbers(of model: ONNXModel) throws(InterchangeError) -> [String: ONNXNumbers] {
    var result: [String: ONNXNumbers] = [:]
    let stated = model.options.numbers
    let defaults = model.defaults.filter { model.constants[$0.name]?.count == 1 }
    let ports = model.inputs.filter(isNumber)
    for name in stated.keys.sorted() where !(ports + defaults).contains(where: { $0.name == name })
    {
      let names = (ports + defaults).map(\.name).joined(separator: ", ")
      throw .description(
        part: "--set \(name)",
        problem: names.isEmpty
          ? "the network has no input that is a single number"
          : "the network has no such input; those that are single numbers are \(names)")
    }
    for port in ports + defaults {
      let kind = ONNXNumbers.Kind(port.elementType ?? 1)
      guard let value = stated[port.name] else {
        if model.constants[port.name] != nil { continue }
        throw .description(
          part: "input \(port.name)",
          problem: "it is a single number without a default; state it with --set "
            + "\(port.name)=NUMBER")
      }
      guard value.isFinite, kind.rounded(value) == value || !kind.isInteger else {
        throw .description(
          part: "--set \(port.name)", problem: "a whole number is needed, not \(value)")
      }
      let shape = model.constants[port.name]?.shape ?? port.shape?.map { _ in 1 } ?? []
      result[port.name] = ONNXNumbers(NumberArray([kind.rounded(value)], shape: shape), kind)
    }
    return result
  }
}
