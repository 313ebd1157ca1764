import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension TransposedConvolution: WeightedOperation {
  static let kerasKinds: [String: ExternalLayer.Kind] = [
    "conv1dtranspose": .transposedConvolution, "conv2dtranspose": .transposedConvolution,
    "conv3dtranspose": .transposedConvolution, "deconvolution2d": .transposedConvolution,
    "convolution2dtranspose": .transposedConvolution,
  ]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .transposedConvolution }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    let channels = shape.count > 1 ? shape[1] ?? 1 : 1
    return ("ConvTranspose2d(\(PyTorchLayer.arguments(self, channels)))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.transposedConvolution(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.transposedConvolution(try builder.picture(inputs[0], node.name), self, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.transposedConvolution(inputs[0], self)
  }
}

extension TransposedConvolution: ONNXReadOperation {
  static let onnxOperators = ["ConvTranspose": ONNXWeight.weightAndBias]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.transposedConvolution()
  }
}

extension TransposedConvolution: KerasLayerOperation {
  static let kerasLayers = ["Conv2DTranspose"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.transposedConvolution(layer, x)
  }
}

extension TransposedConvolution: NCNNReadOperation {
  static let ncnnLayers = ["Deconvolution", "DeconvolutionDepthWise"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    // Output channels first, group by group; PyTorch has input channels first.
    var (weights, groups) = try layer.kernel()
    let shape = weights[0].shape
    let (outputs, inputs, kernel) = (shape[0], shape[1], shape.suffix(2))
    let (total, overflow) = groups.multipliedReportingOverflow(by: inputs)
    guard !overflow else { throw layer.damaged("\(groups) groups") }
    weights[0].steps = [
      .reshaped(from: shape, to: [groups, outputs / groups, inputs] + kernel),
      .permuted([0, 2, 1, 3, 4]),
      .reshaped(
        from: [groups, inputs, outputs / groups] + kernel,
        to: [total, outputs / groups] + kernel),
    ]
    return weights
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.transposedConvolution(layer)
  }
}

extension ONNXReader {
  mutating func transposedConvolution() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard let weight = try parameter(1) else { throw unsupported("expected weights, found none") }
    let bias = try parameter(2)
    let shape = try kernelShape(weight.shape)
    let kernel = Size(shape[2], shape[3])
    let stride = try size("strides"), dilation = try size("dilations")
    guard (node.integers("output_shape") ?? []).isEmpty else {
      throw unsupported("an output_shape of its own is not read")
    }
    let added = try size("output_padding", standard: 0)
    let groups = try groups()
    let (filters, overflow) = shape[1].multipliedReportingOverflow(by: groups)
    guard !overflow else { throw unsupported("\(shape[1]) filters in \(groups) groups") }
    var padding: PaddingAmounts
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET":
      padding = try edges("pads")
      padding.bottom -= added.height
      padding.right -= added.width
    case "VALID": padding = PaddingAmounts(0, 0, -added.height, -added.width)
    case "SAME_UPPER":
      // The output is the stride times as large; of an odd row to cut, the end has it.
      let total = Size(
        (kernel.height - 1) * dilation.height + 1 - stride.height,
        (kernel.width - 1) * dilation.width + 1 - stride.width)
      guard min(total.height, total.width) >= 0 else {
        throw unsupported("a kernel smaller than the stride with auto_pad")
      }
      padding = PaddingAmounts(
        total.height / 2, total.width / 2, total.height - total.height / 2,
        total.width - total.width / 2)
    case let rule: throw unsupported("auto_pad \(rule)")
    }
    let op = Op.transposedConvolution(
      TransposedConvolution(
        outChannels: filters, kernel: kernel, stride: stride, dilation: dilation, groups: groups,
        padding: padding, bias: bias != nil))
    return .value(
      try add(
        op, [input], name: layer(weight.name),
        parameters: [weight.name] + (bias.map { [$0.name] } ?? [])))
  }
}

extension ONNXWriter {
  fileprivate mutating func transposedConvolution(
    _ c: TransposedConvolution, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let (zeros, attributes) = transposedWindow(c, groups: c.groups)
    let steps: [TensorStep] = zeros == 0 ? [] : [.padded([0, 0, zeros.height, zeros.width])]
    var inputs = [name(node.inputs[0]), try parameter(node.parameters[0], steps)]
    if c.bias { inputs.append(try parameter(node.parameters[1])) }
    emit("ConvTranspose", node, inputs, value, attributes)
  }

  /// The attributes of a transposed convolution, and how many rows and columns of zeros must follow
  /// its kernel.
  ///
  /// Rows beyond the full output are output padding below the stride, which is all that it may be;
  /// more are reached by zeros that make the kernel longer.
  func transposedWindow(
    _ c: some TransposedWindow, groups: Int
  ) -> (zeros: Size, attributes: [(String, ONNXModelBuilder.Attribute)]) {
    let added = Size(max(-c.padding.bottom, 0), max(-c.padding.right, 0))
    let isPadding = added.height < c.stride.height && added.width < c.stride.width
    var zeros = Size(0)
    var (bottom, right) = (max(c.padding.bottom, 0), max(c.padding.right, 0))
    if !isPadding {
      // Every zero behind a dilated kernel adds as many rows as its elements lie apart.
      zeros = Size(
        added.height.dividedRoundingUp(by: c.dilation.height),
        added.width.dividedRoundingUp(by: c.dilation.width))
      bottom = max(bottom, zeros.height * c.dilation.height - added.height)
      right = max(right, zeros.width * c.dilation.width - added.width)
    }
    let kernel = Size(c.kernel.height + zeros.height, c.kernel.width + zeros.width)
    var attributes: [(String, ONNXModelBuilder.Attribute)] = [
      ("kernel_shape", .integers(list(kernel))), ("strides", .integers(list(c.stride))),
      ("dilations", .integers(list(c.dilation))), ("group", .integer(groups)),
      ("pads", .integers([c.padding.top, c.padding.left, bottom, right])),
    ]
    if isPadding, added != 0 {
      attributes.append(("output_padding", .integers(list(added))))
    }
    return (zeros, attributes)
  }
}

extension KerasImport {
  /// A transposed convolution with TensorFlow's crops (tensorflow: conv2d_backprop_input).
  mutating func transposedConvolution(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let x = try picture(x, layer)
    let groups = try layer.integer(["groups"], in: Self.channels, default: 1)
    guard groups == 1 else { throw layer.refusal("expected 1 group, found \(groups)") }
    let kernel = try kernel(layer), stride = try layer.size(["strides", "subsample"], default: 1)
    let dilation = try layer.size(["dilation_rate"], default: 1)
    guard dilation == 1 || stride == 1 else {
      throw layer.refusal("Keras has no transposed convolution with a stride and a dilation")
    }
    let extra: Size? =
      layer.option(["output_padding"]) == nil ? nil : try layer.size(["output_padding"], least: 0)
    let padding = try layer.padding()
    func amounts(_ axis: Axis) -> (before: Int, after: Int) {
      // What of the full output goes; TensorFlow takes the lesser half from the front.
      let reach = (kernel[axis] - 1) * dilation[axis] + 1
      let total =
        switch (padding, extra) {
        case (.same, nil): reach - stride[axis]
        case (.same, let extra?): reach - reach % 2 - extra[axis]
        case (.explicit, nil): min(reach - stride[axis], 0)
        case (.explicit, let extra?): -extra[axis]
        }
      if padding != .same || total < 0 { return (0, total) }
      return (total / 2, total - total / 2)
    }
    let vertical = amounts(.vertical), horizontal = amounts(.horizontal)
    let transposed = TransposedConvolution(
      outChannels: try layer.integer(["filters", "nb_filter"], in: Self.channels), kernel: kernel,
      stride: stride, dilation: dilation,
      padding: PaddingAmounts(vertical.before, horizontal.before, vertical.after, horizontal.after),
      bias: try hasBias(layer))
    var names = [
      try bind(
        layer, "weight", [x.shape[1], transposed.outChannels, kernel.height, kernel.width])
    ]
    if transposed.bias { names.append(try bind(layer, "bias", [transposed.outChannels])) }
    return try activated(
      try add(
        .transposedConvolution(transposed), [x], name: layer.fullName, of: layer,
        parameters: names), layer)
  }
}

extension KerasBuilder {
  mutating func transposedConvolution(
    _ x: PlacedValue, _ c: TransposedConvolution, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    guard c.groups == 1 else {
      throw refusal(node.name, "Keras has no transposed convolution in groups")
    }
    guard c.dilation == 1 else {
      throw refusal(
        node.name, "TensorFlow computes no transposed convolution with a dilation on processors")
    }
    let channels = x.place.shape[3] ?? 1
    // As Keras cuts it by itself, with zeros about the kernel where that is wanted.
    var zeros = PaddingAmounts.none
    var isSame = true
    for axis in Axis.allCases {
      let found = KerasBorder.transposedZeros(
        kernel: c.kernel[axis], stride: c.stride[axis], before: c.padding.before(axis),
        after: c.padding.after(axis))
      guard let found, borders == .kernels || found == (0, 0) else {
        isSame = false
        break
      }
      zeros.set(axis, before: found.front, after: found.behind)
    }
    var padding = PaddingAmounts.none
    if !isSame {
      // The full output; rows beyond it are reached by a longer kernel.
      zeros = PaddingAmounts(0, 0, max(-c.padding.bottom, 0), max(-c.padding.right, 0))
      padding = PaddingAmounts(
        c.padding.top, c.padding.left, max(c.padding.bottom, 0), max(c.padding.right, 0))
    }
    let kernel = Size(
      c.kernel.height + zeros.total(.vertical), c.kernel.width + zeros.total(.horizontal))
    let result = add(
      "Conv2DTranspose", node.name,
      [
        "filters": .int(c.outChannels), "kernel_size": [.int(kernel.height), .int(kernel.width)],
        "strides": [.int(c.stride.height), .int(c.stride.width)],
        "padding": isSame ? "same" : "valid", "use_bias": .bool(c.bias),
      ], [x], shape: [nil, nil, nil, c.outChannels],
      variables: weights(
        "kernel", [kernel.height, kernel.width, c.outChannels, channels],
        (zeros == .none ? [] : [.padded([zeros])]) + [.permuted([2, 3, 1, 0])], bias: c.outChannels,
        node))
    // Keras's 'valid' output of a kernel shorter than its stride is continued to whole strides.
    for axis in Axis.allCases where !isSame {
      let more = max(c.stride[axis] - kernel[axis], 0)
      padding.set(axis, before: padding.before(axis), after: padding.after(axis) + more)
    }
    return cropped(result, padding, node.name)
  }
}

extension NCNNImporter {
  mutating func transposedConvolution(_ layer: NCNNLayer) throws(InterchangeError) {
    let (filters, groups, bias) = try common(layer)
    try layer.require(20, 0, default: 0, "a fixed size of output")
    try layer.require(21, 0, default: 0, "a fixed size of output")
    guard case .explicit(let edges) = try padding(layer) else {
      throw layer.unsupported("padding that depends on the size")
    }
    // Rows and columns that are added before the edges are cut.
    let right = try layer.integer(18, in: 0...GraphLimits.window)
    let bottom = try layer.integer(19, default: right, in: 0...GraphLimits.window)
    let op = Op.transposedConvolution(
      TransposedConvolution(
        outChannels: filters, kernel: try layer.size(width: 1, height: 11, in: Self.window),
        stride: try layer.size(width: 3, height: 13, in: Self.window),
        dilation: try layer.size(width: 2, height: 12, in: Self.window), groups: groups,
        padding: PaddingAmounts(edges.top, edges.left, edges.bottom - bottom, edges.right - right),
        bias: bias))
    try finish(layer, op, bias: bias)
  }
}

extension PyTorchOperation {
  func transposedConvolution(_ x: String, _ c: TransposedConvolution) -> String {
    if c.pytorchPadding != nil, let call = called(x) { return call }
    let list = parameterList()
    let stride = PythonText.pair(c.stride.height, c.stride.width)
    let last =
      "\(c.groups)"
      + (c.dilation == 1 ? "" : ", \(PythonText.pair(c.dilation.height, c.dilation.width))")
    if let amounts = c.pytorchPadding {
      let padding = PythonText.pair(amounts.padding.height, amounts.padding.width)
      let output = PythonText.pair(amounts.output.height, amounts.output.width)
      return "F.conv_transpose2d(\(x), \(list[0]), \(c.bias ? list[1] : "None"), \(stride), "
        + "\(padding), \(output), \(last))"
    }
    // The full output cut by hand, or continued by zeros; the bias comes after, as it reaches those.
    let full = "F.conv_transpose2d(\(x), \(list[0]), None, \(stride), 0, 0, \(last))"
    let edges = c.padding
    let cut = "F.pad(\(full), (\(-edges.left), \(-edges.right), \(-edges.top), \(-edges.bottom)))"
    return c.bias ? "\(cut) + \(list[1]).view(-1, 1, 1)" : cut
  }
}

extension PyTorchLayer {
  static func arguments(_ c: TransposedConvolution, _ channels: Int) -> String {
    var arguments = [
      "\(channels)", "\(c.outChannels)", PythonText.pair(c.kernel.height, c.kernel.width),
    ]
    if c.stride != 1 {
      arguments.append("stride=\(PythonText.pair(c.stride.height, c.stride.width))")
    }
    if let padding = c.pytorchPadding {
      if padding.padding != 0 {
        arguments.append(
          "padding=\(PythonText.pair(padding.padding.height, padding.padding.width))")
      }
      if padding.output != 0 {
        arguments.append(
          "output_padding=\(PythonText.pair(padding.output.height, padding.output.width))")
      }
    }
    if c.groups != 1 { arguments.append("groups=\(c.groups)") }
    if c.dilation != 1 {
      arguments.append("dilation=\(PythonText.pair(c.dilation.height, c.dilation.width))")
    }
    if !c.bias { arguments.append("bias=False") }
    return arguments.joined(separator: ", ")
  }
}

extension TransposedConvolution {
  /// The padding as PyTorch states it; nil where it cannot: more is cut at the bottom or right than
  /// at the top or left, or less by as much as stride and dilation, or more.
  var pytorchPadding: (padding: Size, output: Size)? {
    for axis in Axis.allCases {
      // PyTorch wants an output padding below the stride or the dilation.
      guard
        (0..<max(stride[axis], dilation[axis])).contains(
          padding.before(axis) - padding.after(axis))
      else {
        return nil
      }
    }
    return (
      Size(padding.top, padding.left),
      Size(padding.top - padding.bottom, padding.left - padding.right)
    )
  }
}

extension TransposedConvolution: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    guard padding.top >= 0, padding.left >= 0 else {
      throw writer.refusal(node, "ncnn's transposed convolutions add rows at the end alone")
    }
    let inputs = writer.shapes[node.inputs[0]][1]
    // Rows that are added before the edges are cut.
    let (bottom, right) = (max(-padding.bottom, 0), max(-padding.right, 0))
    var attributes = writer.window(kernel: kernel, stride: stride, dilation: dilation)
    attributes += writer.padding(
      PaddingAmounts(padding.top, padding.left, padding.bottom + bottom, padding.right + right))
    attributes += [(18, .integer(right)), (19, .integer(bottom))]
    attributes += writer.kernel(outChannels, inputs / groups, kernel, groups: groups, bias: bias)
    try writer.emit(
      groups == 1 ? "Deconvolution" : "DeconvolutionDepthWise", node,
      [writer.blob(node.inputs[0])], value, attributes, writer.weightAndBias(node))
  }
}
