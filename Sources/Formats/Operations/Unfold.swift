import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Unfold: ExchangedOperation {
  /// A convolution of each channel by itself with a one for each element of the window: ONNX has no
  /// operator for it.
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let channels = writer.shapes[node.inputs[0]][1]
    let weight = try writer.elements(of: kernel, within: kernel, channels, node)
    writer.emit(
      "Conv", node, [writer.name(node.inputs[0]), weight], value,
      [
        ("kernel_shape", .integers(writer.list(kernel))),
        ("strides", .integers(writer.list(stride))),
        ("dilations", .integers(writer.list(dilation))), ("group", .integer(channels)),
        writer.padding(padding, kernel: kernel, stride: stride, dilation: dilation),
      ])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.unfold(try builder.picture(inputs[0], node.name), self, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.unfold)
    let padding = PyTorchPadding(padding, kernel: kernel, stride: stride, dilation: dilation)
    var (x, edges) = (inputs[0], PaddingAmounts.none)
    switch padding {
    case .same:
      x = expression.padded(
        x, padding, kernel: kernel, stride: stride, dilation: dilation, &forward)
    case .symmetric(let size):
      edges = PaddingAmounts(size.height, size.width, size.height, size.width)
    case .explicit(let amounts): edges = amounts
    }
    return "unfold(\(x), \(PyTorchOperation.window(self)), \(PyTorchOperation.order(edges)))"
  }
}

extension Unfold: NCNNReadOperation {
  static let ncnnLayers = ["Unfold"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let padding = try importer.padding(layer)
    if padding != .valid { try layer.require(18, 0, default: 0, "padding with other than zeros") }
    let unfold = Unfold(
      kernel: try layer.size(width: 1, height: 11, in: NCNNImporter.window),
      stride: try layer.size(width: 3, height: 13, in: NCNNImporter.window),
      dilation: try layer.size(width: 2, height: 12, in: NCNNImporter.window), padding: padding)
    let image = try importer.add(unfold.op, layer, try importer.values(of: layer))
    // As PyTorch's, with the places in a row.
    try importer.give(
      layer, .value(try importer.add(.reshape(Reshape([0, 0, -1])), layer, [image])))
  }
}

extension Fold: ExchangedOperation {
  /// A transposed convolution of each channel by itself with a one for each element of the window:
  /// `Col2Im` is younger than version 17.
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let channels = writer.shapes[value][1]
    let (zeros, attributes) = writer.transposedWindow(self, groups: channels)
    let whole = Size(kernel.height + zeros.height, kernel.width + zeros.width)
    let weight = try writer.elements(of: kernel, within: whole, channels, node)
    writer.emit(
      "ConvTranspose", node, [writer.name(node.inputs[0]), weight], value, attributes)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer adds windows to an image")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.fold)
    return "fold(\(inputs[0]), \(PyTorchOperation.window(self)), "
      + "\(PyTorchOperation.order(padding)))"
  }
}

extension Fold: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Col2Im": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.fold()
  }
}

extension ONNXReader {
  /// The places in a row become an image, whose size the size of the result tells.
  fileprivate mutating func fold() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let image = try integers(1, "image_shape"), let block = try integers(2, "block_shape"),
      rank(input) == 3, image.count == 2, block.count == 2
    else { throw unsupported("windows of an image are needed, with constant sizes") }
    let limits = 1...GraphLimits.window
    let stride = try size("strides"), dilation = try size("dilations")
    guard block.allSatisfy(limits.contains), image.allSatisfy((1...GraphLimits.dimension).contains),
      min(stride.height, stride.width, dilation.height, dilation.width) > 0
    else { throw unsupported("an image_shape of \(image) and a block_shape of \(block)") }
    var fold = Fold(
      kernel: Size(block[0], block[1]), stride: stride, dilation: dilation,
      padding: try edges("pads"))
    var places: [Int] = []
    for axis in Axis.allCases {
      let size = axis == .vertical ? image[0] : image[1]
      let room = size + fold.padding.total(axis) - fold.reach(axis)
      guard room >= 0 else { throw unsupported("a window larger than the image") }
      places.append(room / fold.stride[axis] + 1)
      // What no window reaches is at the bottom and right.
      let rest = room % fold.stride[axis]
      if axis == .vertical { fold.padding.bottom -= rest } else { fold.padding.right -= rest }
    }
    let windows = try add(.reshape(Reshape([0, 0, places[0], places[1]])), [input])
    return .value(try add(fold.op, [windows]))
  }
}

extension ONNXWriter {
  /// Constant weights of a convolution of each channel by itself that gives, or takes, each element of
  /// a window as a channel.
  ///
  /// - Parameter whole: the size of the kernel, which has zeros behind the window.
  fileprivate mutating func elements(
    of window: Size, within whole: Size, _ channels: Int, _ node: Graph.Node
  ) throws(InterchangeError) -> String {
    let area = window.height * window.width
    let shape = [channels * area, 1, whole.height, whole.width]
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count <= Double(KerasBuilder.kernelLimit) else {
      throw refusal(
        node,
        "the window of \(window.height)x\(window.width) of \(channels) channels needs a constant of "
          + "more than \(KerasBuilder.kernelLimit) elements")
    }
    let result = unique("\(node.name)/elements")
    constant(result, shape: shape) {
      var values = [Float](repeating: 0, count: shape.reduce(1, *))
      let step = whole.height * whole.width
      for channel in 0..<channels * area {
        let (row, column) = (channel % area).quotientAndRemainder(dividingBy: window.width)
        values[channel * step + row * whole.width + column] = 1
      }
      return try Tensor(shape: shape, values)
    }
    return result
  }
}

extension KerasBuilder {
  /// A convolution of each channel by itself with a one for each element of the window.
  fileprivate mutating func unfold(
    _ x: PlacedValue, _ u: Unfold, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    guard u.stride.height == u.stride.width, u.stride == 1 || u.dilation == 1 else {
      throw refusal(
        node.name, "Keras has no convolution of each channel with two strides, or with a dilation")
    }
    let channels = x.place.shape[3] ?? 1
    let area = u.kernel.height * u.kernel.width
    // Row, column, channel, and the element of the window that is given.
    var kernel = try oneHot(
      [u.kernel.height, u.kernel.width, channels, area], node.name,
      at: (0..<area * channels).map { $0 * area + $0 / channels })
    kernel.name = "depthwise_kernel"
    var (input, padding) = (x, "same")
    if case .explicit(let edges) = u.padding {
      (input, padding) = (padded(x, edges, "\(node.name).padding"), "valid")
    }
    return add(
      "DepthwiseConv2D", node.name,
      [
        "kernel_size": [.int(u.kernel.height), .int(u.kernel.width)],
        "strides": [.int(u.stride.height), .int(u.stride.width)], "padding": .string(padding),
        "dilation_rate": [.int(u.dilation.height), .int(u.dilation.width)],
        "depth_multiplier": .int(area), "use_bias": false,
      ], [input], shape: [nil, nil, nil, channels * area], variables: [kernel])
  }
}

extension PyTorchOperation {
  /// Kernel, stride and dilation, as the functions for windows take them.
  fileprivate static func window(_ window: Unfold) -> String {
    tuples(window.kernel, window.stride, window.dilation)
  }

  fileprivate static func window(_ window: Fold) -> String {
    tuples(window.kernel, window.stride, window.dilation)
  }

  private static func tuples(_ sizes: Size...) -> String {
    sizes.map { PythonText.tuple([$0.height, $0.width]) }.joined(separator: ", ")
  }
}
