import AviaryGraph

/// ONNX models as graphs of ours.
public enum ONNXNetwork {
  /// The network that an ONNX file holds, with its weights.
  ///
  /// A size of image that the file states is let go where nothing in the network depends on it:
  /// exporters write down the size of the example that they were given.
  ///
  /// - Parameter file: what `WeightsFile.read` gave of an ONNX file.
  /// - Throws: `InterchangeError`: `.layer` for an operation that ours do not express,
  ///   `.description` for a model that contradicts itself, `.weights` for weights of another shape,
  ///   `.graph`.
  public static func graph(_ file: WeightsFile) throws(InterchangeError) -> ImportedGraph {
    guard case .onnx(let model) = file.network else {
      throw .description(part: file.path, problem: "expected an ONNX model, found none")
    }
    let inputs = try ONNXInput.inputs(of: model)
    // Sizes that only look as if they were in proportion differ on odd ones; networks that cannot
    // take odd ones are asked about even ones alone.
    var attempts = [ONNXSamples.all(inputs), .even(inputs)]
    if inputs.contains(where: { $0.size != nil }) {
      attempts.append(.stated(inputs))
    } else if inputs.count > 1 {
      attempts.insert(.unrelated(inputs), at: 0)
    }
    var first: InterchangeError?
    for samples in attempts {
      do {
        var reader = ONNXReader(model, file, inputs, samples)
        return try reader.graph()
      } catch {
        first = first ?? error
        // What cannot be read at all is best said by the attempt that depends least on sizes.
        switch error {
        case .layer, .graph, .weights: continue
        default: throw error
        }
      }
    }
    throw first ?? .description(part: file.path, problem: "no network")
  }
}

/// An image that an ONNX model takes.
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
        problem: "expected 1 to \(GraphLimits.inputs), found \(model.inputs.count)")
    }
    var inputs: [ONNXInput] = []
    for port in model.inputs {
      // float32, float16, float64 and bfloat16.
      guard let shape = port.shape, shape.count == 4, [1, 10, 11, 16].contains(port.elementType)
      else {
        throw .description(
          part: "input \(port.name)",
          problem: "expected images of floating-point numbers, [n, channels, height, width], "
            + "found \(text(port))")
      }
      guard let channels = shape[1] ?? channels(of: port.name, model),
        channels <= GraphLimits.channels
      else {
        throw .description(
          part: "input \(port.name)", problem: "expected a number of channels, found none")
      }
      var size: Size?
      if let height = shape[2], let width = shape[3] {
        guard max(height, width) <= 1 << 16 else {
          throw .description(
            part: "input \(port.name)",
            problem: "expected at most 65536 pixels a side, found \(height)x\(width)")
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

/// Windows, strides and padding, as all operators with windows state them.
extension ONNXReader {
  /// The first input, which must be an image.
  func picture() throws(InterchangeError) -> Int {
    let input = try value(0)
    guard rank(input) == 4 else {
      throw unsupported("expected an image (NCHW), found \(shapes[input][0])")
    }
    return input
  }

  func kernelShape(_ shape: [Int]) throws(InterchangeError) -> [Int] {
    guard shape.count == 4 else {
      throw unsupported("expected weights of 4 dimensions, found \(shape)")
    }
    if let stated = node.integers("kernel_shape"), stated != Array(shape.suffix(2)) {
      throw unsupported("expected kernel_shape \(shape.suffix(2)), found \(stated)")
    }
    return shape
  }

  func groups() throws(InterchangeError) -> Int {
    let groups = node.integer("group") ?? 1
    guard (1...GraphLimits.channels).contains(groups) else { throw unsupported("group \(groups)") }
    return groups
  }

  /// Two numbers along the axes.
  func size(_ name: String, standard: Int = 1) throws(InterchangeError) -> Size {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return Size(standard) }
    guard numbers.count == 2, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): expected two numbers up to \(GraphLimits.window), found \(numbers)")
    }
    return Size(numbers[0], numbers[1])
  }

  /// Numbers of rows and columns: all at the beginning, then all at the end.
  func edges(_ name: String) throws(InterchangeError) -> PaddingAmounts {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return .none }
    guard numbers.count == 4, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): expected four numbers up to \(GraphLimits.window), found \(numbers)")
    }
    return PaddingAmounts(numbers[0], numbers[1], numbers[2], numbers[3])
  }

  func padding(
    kernel: Size, stride: Size, dilation: Size
  ) throws(InterchangeError) -> Padding {
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET", "": return .explicit(try edges("pads"))
    case "VALID": return .valid
    case "SAME_UPPER": return .same
    case "SAME_LOWER":
      // At stride 1 the rule does not depend on the size; else only 'upper' can be said.
      guard stride == 1 else { throw unsupported("auto_pad SAME_LOWER with a stride above 1") }
      let vertical = (kernel.height - 1) * dilation.height
      let horizontal = (kernel.width - 1) * dilation.width
      return .explicit(
        PaddingAmounts(
          vertical - vertical / 2, horizontal - horizontal / 2, vertical / 2, horizontal / 2))
    case let rule: throw unsupported("auto_pad \(rule)")
    }
  }
}
