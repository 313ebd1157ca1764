import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Convolution: WeightedOperation {
  static let kerasKinds: [String: ExternalLayer.Kind] = [
    "conv1d": .convolution, "conv2d": .convolution, "conv3d": .convolution,
    "convolution1d": .convolution, "convolution2d": .convolution, "convolution3d": .convolution,
    "atrousconvolution2d": .convolution, "depthwiseconv2d": .depthwiseConvolution,
    "separableconv2d": .separableConvolution, "separableconvolution2d": .separableConvolution,
  ]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind {
    groups > 1 && weight.count == 4 && weight[1] == 1 ? .depthwiseConvolution : .convolution
  }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    let padding = PyTorchPadding(self)
    let channels = shape.count > 1 ? shape[1] ?? 1 : 1
    return ("Conv2d(\(PyTorchLayer.arguments(self, channels, padding)))", padding)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.convolution(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.convolution(try builder.picture(inputs[0], node.name), self, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.convolution(inputs[0], self, &forward)
  }
}

extension Convolution: ONNXReadOperation {
  static let onnxOperators = ["Conv": ONNXWeight.weightAndBias]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.convolution()
  }
}

extension Convolution: NCNNReadOperation {
  static let ncnnLayers = ["Convolution", "ConvolutionDepthWise"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    try layer.kernel().weights
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.convolution(layer)
  }
}

extension ONNXReader {
  mutating func convolution() throws(InterchangeError) -> ONNXOperand {
    if case .value? = try? given(1) { return try dynamicConvolution() }
    let input = try picture()
    guard let weight = try parameter(1) else { throw unsupported("expected weights, found none") }
    let bias = try parameter(2)
    let shape = try kernelShape(weight.shape)
    let kernel = Size(shape[2], shape[3])
    let stride = try size("strides"), dilation = try size("dilations")
    let op = Op.convolution(
      Convolution(
        outChannels: shape[0], kernel: kernel, stride: stride, dilation: dilation,
        groups: try groups(),
        padding: try padding(kernel: kernel, stride: stride, dilation: dilation), bias: bias != nil)
    )
    return .value(
      try add(
        op, [input], name: layer(weight.name),
        parameters: [weight.name] + (bias.map { [$0.name] } ?? [])))
  }
}

extension ONNXWriter {
  mutating func convolution(
    _ c: Convolution, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    var inputs = [name(node.inputs[0])]
    for parameter in node.parameters { inputs.append(try self.parameter(parameter)) }
    emit(
      "Conv", node, inputs, value,
      [
        ("kernel_shape", .integers(list(c.kernel))), ("strides", .integers(list(c.stride))),
        ("dilations", .integers(list(c.dilation))), ("group", .integer(c.groups)),
        padding(c.padding, kernel: c.kernel, stride: c.stride, dilation: c.dilation),
      ])
  }
}

extension NCNNImporter {
  mutating func convolution(_ layer: NCNNLayer) throws(InterchangeError) {
    let (filters, groups, bias) = try common(layer)
    let padding = try padding(layer)
    if padding != .valid { try layer.require(18, 0, default: 0, "padding with other than zeros") }
    let op = Op.convolution(
      Convolution(
        outChannels: filters, kernel: try layer.size(width: 1, height: 11, in: Self.window),
        stride: try layer.size(width: 3, height: 13, in: Self.window),
        dilation: try layer.size(width: 2, height: 12, in: Self.window), groups: groups,
        padding: padding, bias: bias))
    try finish(layer, op, bias: bias)
  }
}

extension PyTorchOperation {
  func convolution(
    _ x: String, _ c: Convolution, _ forward: inout PyTorchForward
  ) -> String {
    let padding = PyTorchPadding(c)
    let padded = padded(
      x, padding, kernel: c.kernel, stride: c.stride, dilation: c.dilation, &forward)
    if let call = called(padded) { return call }
    var arguments = [padded] + parameterList() + (c.bias ? [] : ["None"])
    arguments.append("\(PythonText.pair(c.stride.height, c.stride.width))")
    if case .symmetric(let size) = padding {
      arguments.append(PythonText.pair(size.height, size.width))
    } else {
      arguments.append("0")
    }
    arguments.append("\(PythonText.pair(c.dilation.height, c.dilation.width))")
    return "F.conv2d(\(arguments.joined(separator: ", ")), \(c.groups))"
  }
}

extension PyTorchLayer {
  static func arguments(
    _ c: Convolution, _ channels: Int, _ padding: PyTorchPadding
  ) -> String {
    var arguments = [
      "\(channels)", "\(c.outChannels)", PythonText.pair(c.kernel.height, c.kernel.width),
    ]
    if c.stride != 1 {
      arguments.append("stride=\(PythonText.pair(c.stride.height, c.stride.width))")
    }
    if case .symmetric(let size) = padding, size != 0 {
      arguments.append("padding=\(PythonText.pair(size.height, size.width))")
    }
    if c.dilation != 1 {
      arguments.append("dilation=\(PythonText.pair(c.dilation.height, c.dilation.width))")
    }
    if c.groups != 1 { arguments.append("groups=\(c.groups)") }
    if !c.bias { arguments.append("bias=False") }
    return arguments.joined(separator: ", ")
  }
}

extension Convolution: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let inputs = writer.shapes[node.inputs[0]][1]
    var attributes = writer.window(kernel: kernel, stride: stride, dilation: dilation)
    attributes += writer.padding(padding, kernel: kernel, stride: stride, dilation: dilation)
    attributes += writer.kernel(outChannels, inputs / groups, kernel, groups: groups, bias: bias)
    try writer.emit(
      groups == 1 ? "Convolution" : "ConvolutionDepthWise", node,
      [writer.blob(node.inputs[0])], value, attributes, writer.weightAndBias(node))
  }
}

extension NCNNWriter {
  /// Kernel, stride and dilation, as convolutions have them.
  func window(kernel: Size, stride: Size, dilation: Size) -> [(Int, Attribute)] {
    [
      (1, .integer(kernel.width)), (11, .integer(kernel.height)), (2, .integer(dilation.width)),
      (12, .integer(dilation.height)), (3, .integer(stride.width)), (13, .integer(stride.height)),
    ]
  }

  /// The padding: as numbers wherever it does not depend on the image's size.
  func padding(
    _ padding: Padding, kernel: Size, stride: Size, dilation: Size
  ) -> [(Int, Attribute)] {
    if padding.dependsOnSize(kernel: kernel, stride: stride, dilation: dilation) {
      return [(4, .integer(-233))]
    }
    return self.padding(
      padding.amounts(size: Size(1), kernel: kernel, stride: stride, dilation: dilation))
  }

  /// Padding, or what is cut from the edges.
  func padding(_ edges: PaddingAmounts) -> [(Int, Attribute)] {
    [
      (4, .integer(edges.left)), (15, .integer(edges.right)), (14, .integer(edges.top)),
      (16, .integer(edges.bottom)),
    ]
  }

  /// The sizes of a kernel in so many groups, with so many inputs for each group.
  func kernel(
    _ outputs: Int, _ inputs: Int, _ kernel: Size, groups: Int, bias: Bool
  ) -> [(Int, Attribute)] {
    [
      (0, .integer(outputs)), (5, .integer(bias ? 1 : 0)),
      (6, .integer(outputs * inputs * kernel.height * kernel.width)),
    ] + (groups == 1 ? [] : [(7, .integer(groups))])
  }

  /// The node's weight, and its bias where it has one.
  func weightAndBias(_ node: Graph.Node) -> [String: Content] {
    Dictionary(zip(["weight", "bias"], node.parameters.map(Content.parameter))) { first, _ in first
    }
  }
}
