import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension MaxPool: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "MaxPool", node, [writer.name(node.inputs[0])], value, try writer.window(window, node))
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.pooled(
      try builder.picture(inputs[0], node.name), "MaxPooling2D", window, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.maxPool(inputs[0], window, &forward)
  }
}

extension MaxPool: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["MaxPool": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.pool()
  }
}

extension MaxPool: KerasLayerOperation {
  static let kerasLayers = ["MaxPooling2D"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.pool(layer, x)
  }
}

extension AveragePool: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.averagePool(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.averagePool(
      try builder.picture(inputs[0], node.name), window, countsPadding: countsPadding,
      node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.averagePool(inputs[0], window, countsPadding, &forward)
  }

  var repeatsOperand: Bool { !countsPadding }
}

extension AveragePool: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["AveragePool": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.pool()
  }
}

extension AveragePool: KerasLayerOperation {
  static let kerasLayers = ["AveragePooling2D"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.pool(layer, x)
  }
}

extension GlobalAveragePool: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit("GlobalAveragePool", node, [writer.name(node.inputs[0])], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    builder.add(
      "GlobalAveragePooling2D", node.name, ["keepdims": true],
      [try builder.picture(inputs[0], node.name)])
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "F.adaptive_avg_pool2d(\(inputs[0]), 1)"
  }
}

extension GlobalAveragePool: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["GlobalAveragePool": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.one(.globalAveragePool)
  }
}

extension GlobalAveragePool: KerasLayerOperation {
  static let kerasLayers = ["GlobalAveragePooling2D"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.globalPool(layer, x)
  }
}

extension KerasImport {
  /// The largest value or the mean of each window.
  mutating func pool(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let kernel = try layer.size(["pool_size"], default: 2)
    let pool = Pool(
      kernel: kernel, stride: try layer.size(["strides"], default: kernel),
      padding: try layer.padding())
    // TensorFlow's mean leaves padding out.
    let op: Op =
      layer.className == "MaxPooling2D"
      ? .maxPool(MaxPool(pool)) : .averagePool(AveragePool(pool, countsPadding: false))
    return try add(op, [try picture(x, layer)], name: layer.fullName, of: layer)
  }

  /// One value a channel: a row, or an image of one pixel.
  mutating func globalPool(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let op: Op =
      layer.className == "GlobalAveragePooling2D"
      ? .globalAveragePool : .reduce(Reduction(.maximum, dimensions: [2, 3]))
    var result = try add(op, [try picture(x, layer)], name: layer.fullName, of: layer)
    result.isSized = false
    if try layer.flag(["keepdims"], default: false) { return result }
    let channels = result.shape[1]
    result = add(
      .reshape(Reshape([0, channels])), [result], shape: [1, channels],
      name: "\(layer.fullName).row")
    result.axes = [0, 1]
    return result
  }
}

extension KerasBuilder {
  mutating func averagePool(
    _ x: PlacedValue, _ pool: Pool, countsPadding: Bool, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    try requireRoundingDown(pool, name)
    guard countsPadding, pool.padding != .valid else {
      return try pooled(x, "AveragePooling2D", pool, name)
    }
    if case .explicit(let edges) = pool.padding {
      let input = padded(x, edges, "\(name).padding")
      return pooling(input, "AveragePooling2D", pool.kernel, pool.stride, "valid", name)
    }
    // The rule's padding is counted by a convolution that knows no padding from an image.
    guard pool.stride.height == pool.stride.width else {
      throw refusal(name, "Keras has no convolution of each channel with two strides")
    }
    let channels = x.place.shape[3] ?? 1
    let area = pool.kernel.height * pool.kernel.width
    guard Double(area) * Double(channels) <= Double(Self.kernelLimit) else {
      throw refusal(
        name,
        "expected a constant kernel of at most \(Self.kernelLimit) elements, "
          + "found \(pool.kernel.height) x \(pool.kernel.width) x \(channels)")
    }
    let shape = [pool.kernel.height, pool.kernel.width, channels, 1]
    let part = Array(repeating: 1 / Float(area), count: area * channels)
    return add(
      "DepthwiseConv2D", name,
      [
        "kernel_size": [.int(pool.kernel.height), .int(pool.kernel.width)],
        "strides": [.int(pool.stride.height), .int(pool.stride.width)], "padding": "same",
        "use_bias": false,
      ], [x], shape: [nil, nil, nil, channels],
      variables: [
        KerasModel.Variable(
          name: "depthwise_kernel", shape: shape,
          content: .constant(try constant(shape, part, name)))
      ])
  }

  /// Pooling that leaves the padding out.
  fileprivate mutating func pooled(
    _ x: PlacedValue, _ className: String, _ pool: Pool, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    try requireRoundingDown(pool, name)
    guard case .explicit(let edges) = pool.padding else {
      return pooling(x, className, pool.kernel, pool.stride, "same", name)
    }
    if edges == .none { return pooling(x, className, pool.kernel, pool.stride, "valid", name) }
    let isSame = Axis.allCases.allSatisfy { axis in
      KerasBorder(
        reach: pool.kernel[axis], stride: pool.stride[axis], before: edges.before(axis),
        after: edges.after(axis)
      ).isSame
    }
    if isSame { return pooling(x, className, pool.kernel, pool.stride, "same", name) }
    // Every window at stride 1, of which those that count are picked.
    let before = Size((pool.kernel.height - 1) / 2, (pool.kernel.width - 1) / 2)
    let crops = PaddingAmounts(
      before.height - edges.top, before.width - edges.left,
      pool.kernel.height - 1 - before.height - edges.bottom,
      pool.kernel.width - 1 - before.width - edges.right)
    guard min(crops.top, crops.left, crops.bottom, crops.right) >= 0 else {
      throw refusal(name, "Keras pads a pooling window by half of it at most")
    }
    let all = pooling(x, className, pool.kernel, 1, "same", "\(name).windows")
    let picked = cropped(all, crops, name)
    return pool.stride == 1
      ? picked : pooling(picked, "MaxPooling2D", 1, pool.stride, "valid", name)
  }

  private func requireRoundingDown(_ pool: Pool, _ name: String) throws(InterchangeError) {
    if pool.roundsUp { throw refusal(name, "Keras rounds the sizes of pooling down") }
  }

  private mutating func pooling(
    _ x: PlacedValue, _ className: String, _ kernel: Size, _ stride: Size, _ padding: String,
    _ name: String
  ) -> PlacedValue {
    add(
      className, name,
      [
        "pool_size": [.int(kernel.height), .int(kernel.width)],
        "strides": [.int(stride.height), .int(stride.width)], "padding": .string(padding),
      ], [x], shape: [nil, nil, nil, x.place.shape[3]])
  }
}

extension PyTorchOperation {
  /// Kernel and stride as pooling functions take them.
  func window(_ pool: Pool) -> String {
    let kernel = PythonText.pair(pool.kernel.height, pool.kernel.width)
    return
      (pool.stride == pool.kernel
      ? kernel : "\(kernel), \(PythonText.pair(pool.stride.height, pool.stride.width))")
      + (pool.roundsUp ? ", ceil_mode=True" : "")
  }

  /// The padding where the function does it; it takes no more than half the kernel.
  func padding(_ pool: Pool) -> PyTorchPadding {
    let padding = PyTorchPadding(pool.padding, kernel: pool.kernel, stride: pool.stride)
    guard case .symmetric(let size) = padding,
      size.height * 2 > pool.kernel.height || size.width * 2 > pool.kernel.width
    else { return padding }
    return .explicit(PaddingAmounts(size.height, size.width, size.height, size.width))
  }

  fileprivate func maxPool(_ x: String, _ pool: Pool, _ forward: inout PyTorchForward) -> String {
    let padding = padding(pool)
    let input = padded(
      x, padding, kernel: pool.kernel, stride: pool.stride, value: "float(\"-inf\")", &forward)
    guard case .symmetric(let size) = padding, size != 0 else {
      return "F.max_pool2d(\(input), \(window(pool)))"
    }
    let sizes = PythonText.pair(size.height, size.width)
    return "F.max_pool2d(\(input), \(window(pool)), padding=\(sizes))"
  }

  fileprivate func averagePool(
    _ x: String, _ pool: Pool, _ countsPadding: Bool, _ forward: inout PyTorchForward
  ) -> String {
    let padding = padding(pool)
    if case .symmetric(let size) = padding {
      if size == 0 { return "F.avg_pool2d(\(x), \(window(pool)))" }
      let sizes = PythonText.pair(size.height, size.width)
      let counts = countsPadding ? "" : ", count_include_pad=False"
      return "F.avg_pool2d(\(x), \(window(pool)), padding=\(sizes)\(counts))"
    }
    func mean(_ x: String, _ forward: inout PyTorchForward) -> String {
      let input = padded(x, padding, kernel: pool.kernel, stride: pool.stride, &forward)
      return "F.avg_pool2d(\(input), \(window(pool)))"
    }
    let sum = mean(x, &forward)
    // The mean over the image's part of each window.
    return countsPadding ? sum : "\(sum) / \(mean("torch.ones_like(\(x))", &forward))"
  }
}
