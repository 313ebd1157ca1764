import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension DynamicConvolution: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let shape = writer.shapes[node.inputs[1]]
    let convolution = convolution(shape)
    let attributes: [(String, ONNXModelBuilder.Attribute)] = [
      ("kernel_shape", .integers(writer.list(convolution.kernel))),
      ("strides", .integers(writer.list(stride))),
      ("dilations", .integers(writer.list(dilation))), ("group", .integer(groups)),
      writer.padding(padding, kernel: convolution.kernel, stride: stride, dilation: dilation),
    ]
    guard shape.count == 4 else { return try writeProduct(node, value, convolution, to: &writer) }
    guard !writer.sidesDependOnSize(node.inputs[1]) else {
      throw writer.refusal(node, "the kernel is as large as the image says")
    }
    writer.emit("Conv", node, node.inputs.map { writer.name($0) }, value, attributes)
  }

  /// A convolution of one pixel with a kernel for each image: a product of matrices.
  private func writeProduct(
    _ node: Graph.Node, _ value: Int, _ convolution: Convolution, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let isPointwise =
      convolution.kernel == 1 && stride == 1
      && writer.shapes[value].suffix(2)
        == writer.shapes[node.inputs[0]].suffix(2)
    guard isPointwise else {
      throw writer.refusal(
        node, "each image has its own kernel, where Conv has one for all images")
    }
    let outputs = convolution.outChannels
    let inputs = writer.shapes[node.inputs[0]][1]
    func reshaped(_ writer: inout ONNXWriter, _ input: Int, _ shape: [Int]) -> String {
      let target = writer.integers(node, "shape", shape)
      return writer.step("Reshape", node, [writer.name(node.inputs[input]), target])
    }
    let kernels = reshaped(&writer, 1, [0, groups, outputs / groups, inputs / groups])
    let pixels = reshaped(&writer, 0, [0, groups, inputs / groups, -1])
    let product = writer.step("MatMul", node, [kernels, pixels])
    let size = writer.size(of: writer.name(node.inputs[0]), 2..<4, times: Ratio(1), node)
    let shape = writer.step(
      "Concat", node, [writer.integers(node, "channels", [0, outputs]), size],
      [("axis", .integer(0))])
    guard node.inputs.count > 2 else {
      return writer.emit("Reshape", node, [product, shape], value)
    }
    let image = writer.step("Reshape", node, [product, shape])
    writer.emit("Add", node, [image, reshaped(&writer, 2, [0, outputs, 1, 1])], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer convolves with a kernel that is calculated")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let kernel = expression.shapes.values[expression.node.inputs[1]]
    let sides = kernel.suffix(2).map { $0 ?? 1 }
    let size = Size(sides[0], sides[1])
    let padding = PyTorchPadding(padding, kernel: size, stride: stride, dilation: dilation)
    let x = expression.padded(
      inputs[0], padding, kernel: size, stride: stride, dilation: dilation, &forward)
    var edges = Size(0)
    if case .symmetric(let size) = padding { edges = size }
    let window = [stride, edges, dilation].map { PythonText.pair($0.height, $0.width) }
    let list = [x, inputs[1], inputs.count > 2 ? inputs[2] : "None"] + window + ["\(groups)"]
    let arguments = list.joined(separator: ", ")
    if kernel.count == 4 { return "F.conv2d(\(arguments))" }
    forward.need(.dynamicConvolution)
    return "dynamic_convolution(\(arguments))"
  }
}

extension ONNXReader {
  /// A convolution whose kernel is a value.
  mutating func dynamicConvolution() throws(InterchangeError) -> ONNXOperand {
    let image = try picture(), kernel = try value(1)
    guard rank(kernel) == 4 else { throw unsupported("a kernel of four dimensions is needed") }
    let sides = shapes[kernel].map { $0.suffix(2) }
    guard sides.allSatisfy({ $0 == sides[0] }) else {
      throw unsupported("the kernel's size depends on the image's")
    }
    let size = try kernelShape(shapes[kernel][0])
    let stride = try self.size("strides"), dilation = try self.size("dilations")
    let convolution = DynamicConvolution(
      stride: stride, dilation: dilation, groups: try groups(),
      padding: try padding(
        kernel: Size(size[2], size[3]), stride: stride, dilation: dilation))
    let bias = node.input(2) == nil ? [] : [try value(2)]
    return .value(try add(convolution.op, [image, kernel] + bias))
  }
}
