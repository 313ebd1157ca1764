import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Pad: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    if mode.onnx == nil {
      let rows = writer.padded(
        writer.name(node.inputs[0]), 2, before: amounts.top, after: amounts.bottom, mode, node)
      let all = writer.padded(
        rows, 3, before: amounts.left, after: amounts.right, mode, node)
      return writer.emit("Identity", node, [all], value)
    }
    writer.pad(
      node, value, before: [0, 0, amounts.top, amounts.left],
      after: [0, 0, amounts.bottom, amounts.right], mode, filling: self.value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    guard mode == .zero, value == 0 else {
      throw builder.refusal(node.name, "no layer pads images by anything but zeros")
    }
    return builder.padded(try builder.picture(inputs[0], node.name), amounts, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.pad(inputs[0], self, &forward)
  }
}

extension Pad: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Pad": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.pad()
  }
}

extension Pad: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["ZeroPadding2D"]
  static let kerasFunctions = ["pad"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.add(
      .pad(Pad(try layer.amounts(["padding"]), .zero)), [try importer.picture(x, layer)],
      name: layer.fullName, of: layer)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.padded(
      function.x, function.option("paddings", "pad_width") ?? function.arguments.first,
      mode: function.option("mode")?.string, fill: function.option("constant_values")?.double,
      function.layer)
  }
}

extension Pad: NCNNReadOperation {
  static let ncnnLayers = ["Padding"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    let count = try layer.size(6)
    return count > 0 ? layer.vectors(["value"], count) : []
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.pad(layer)
  }
}

extension Crop: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.slice(
      node, value, axes: [2, 3], from: [amounts.top, amounts.left],
      to: [amounts.bottom, amounts.right].map { $0 == 0 ? .max : -$0 })
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    builder.cropped(try builder.picture(inputs[0], node.name), amounts, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "\(expression.object(inputs[0]))[\(PyTorchOperation.range(amounts))]"
  }
}

extension Crop: KerasLayerOperation {
  static let kerasLayers = ["Cropping2D"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.add(
      .crop(Crop(try layer.amounts(["cropping"]))), [try importer.picture(x, layer)],
      name: layer.fullName, of: layer)
  }
}

extension Crop: NCNNReadOperation {
  static let ncnnLayers = ["Crop"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.crop(layer)
  }
}

extension KerasImport {
  /// Rows and columns of zeros around an image, as TensorFlow states them: two numbers an axis.
  mutating func padded(
    _ x: KerasTensor, _ paddings: JSON?, mode: String?, fill: Double?, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    let pairs = (paddings?.array ?? []).map { $0.array?.compactMap(\.int) ?? [] }
    let (mode, fill) = (mode?.uppercased() ?? "CONSTANT", fill ?? 0)
    guard x.rank == 4, pairs.count == 4, pairs.allSatisfy({ $0.count == 2 }),
      pairs.joined().allSatisfy((0...GraphLimits.window).contains),
      mode == "REFLECT" || mode == "CONSTANT" && fill == 0
    else { throw layer.refusal("expected rows and columns of zeros, or mirrored") }
    let x = try arranged(
      x, as: KerasTensor.pictureAxes(channelsFirst: isChannelsFirst), layer.fullName)
    var ours = pairs
    for (axis, pair) in zip(x.axes, pairs) { ours[axis] = pair }
    guard ours[0] == [0, 0], ours[1] == [0, 0] else {
      throw layer.refusal("expected paddings of rows and columns alone")
    }
    let amounts = PaddingAmounts(ours[2][0], ours[3][0], ours[2][1], ours[3][1])
    return try add(
      .pad(Pad(amounts, mode == "REFLECT" ? .reflect : .zero)), [x], name: layer.fullName, of: layer
    )
  }
}

extension KerasBuilder {
  mutating func padded(_ x: PlacedValue, _ amounts: PaddingAmounts, _ name: String) -> PlacedValue {
    if amounts == .none { return x }
    return add(
      "ZeroPadding2D", name, ["padding": amounts.keras], [x],
      shape: [nil, nil, nil, x.place.shape[3]])
  }
}

extension TensorStep {
  /// Zeros about a kernel.
  static func padded(_ zeros: [PaddingAmounts]) -> TensorStep {
    .padded(zeros.flatMap { [$0.top, $0.left, $0.bottom, $0.right] })
  }
}

extension KerasBuilder {
  mutating func cropped(_ x: PlacedValue, _ amounts: PaddingAmounts, _ name: String) -> PlacedValue
  {
    if amounts == .none { return x }
    return add(
      "Cropping2D", "\(name).crop", ["cropping": amounts.keras], [x],
      shape: [nil, nil, nil, x.place.shape[3]])
  }
}

extension NCNNImporter {
  mutating func pad(_ layer: NCNNLayer) throws(InterchangeError) {
    for number in [6, 7, 8] {
      try layer.require(number, 0, default: 0, "padding by channels")
    }
    let amounts = PaddingAmounts(
      try layer.integer(0, in: Self.edge), try layer.integer(2, in: Self.edge),
      try layer.integer(1, in: Self.edge), try layer.integer(3, in: Self.edge))
    let mode: PadMode =
      switch try layer.integer(4, in: 0...2) {
      case 0: .zero
      case 1: .edge
      default: .reflect
      }
    let value = mode == .zero ? layer.number(5) : 0
    guard value.isFinite else { throw layer.unsupported("padding with \(value)") }
    let pad = Pad(amounts, mode, value: value)
    try give(layer, .value(try add(.pad(pad), layer, try values(of: layer))))
  }

  /// By starts, ends and axes, or to the size of a second blob.
  mutating func crop(_ layer: NCNNLayer) throws(InterchangeError) {
    if layer.inputs.count == 2 { return try cropLike(layer) }
    var value = try values(of: layer)[0]
    let rank = shape(value).count
    guard let starts = layer.integers(9), let ends = layer.integers(10), !starts.isEmpty,
      starts.count == ends.count, rank == 4
    else { throw layer.unsupported("expected starts and ends of an image") }
    guard let axes = layer.has(11) ? layer.integers(11) : Array(starts.indices),
      axes.count == starts.count, Set(axes).count == axes.count
    else { throw layer.unsupported("expected different axes") }
    var amounts = PaddingAmounts.none
    for (position, axis) in axes.enumerated() {
      let (start, end) = (starts[position], ends[position])
      // Positions beyond the end stand for it.
      let isOpen = end >= GraphLimits.dimension || end == -233
      switch axis < 0 ? axis + rank - 1 : axis {
      case 0:
        let channels = shape(value)[1]
        let first = start < 0 ? channels + start : start
        let last = isOpen ? channels : end <= 0 ? channels + end : min(end, channels)
        guard first >= 0, last > first else {
          throw layer.unsupported("channels \(first) to \(last) of \(channels)")
        }
        value = try add(.slice(ChannelSlice(start: first, count: last - first)), layer, [value])
      case let axis where axis == 1 || axis == 2:
        guard Self.edge.contains(start), isOpen || Self.edge.contains(-end) else {
          throw layer.unsupported("a part whose size does not follow the image's")
        }
        let after = isOpen ? 0 : -end
        if axis == 1 {
          (amounts.top, amounts.bottom) = (start, after)
        } else {
          (amounts.left, amounts.right) = (start, after)
        }
      default: throw layer.unsupported("axis \(axis)")
      }
    }
    if amounts != .none { value = try add(.crop(Crop(amounts)), layer, [value]) }
    try give(layer, .value(value))
  }

  /// So many columns, rows and channels from an offset on as the second blob has.
  private mutating func cropLike(_ layer: NCNNLayer) throws(InterchangeError) {
    let given = try values(of: layer, count: 2)
    let offset = Size(try layer.integer(1, in: Self.edge), try layer.integer(0, in: Self.edge))
    guard !layer.has(9), !layer.has(10), !layer.has(11), layer.number(2) == 0,
      given.allSatisfy({ shape($0).count == 4 }), shape(given[0])[1] == shape(given[1])[1]
    else { throw layer.unsupported("expected offsets, and two images of as many channels") }
    var value = given[0]
    if offset != 0 {
      let amounts = PaddingAmounts(offset.height, offset.width, 0, 0)
      value = try add(.crop(Crop(amounts)), layer, [value])
    }
    try give(
      layer, .value(try add(.cropToSize(CropToSize()), layer, [value, given[1]])))
  }
}

extension PyTorchOperation {
  fileprivate func pad(_ x: String, _ pad: Pad, _ forward: inout PyTorchForward) -> String {
    let amounts = pad.amounts
    guard let mode = pad.mode.pytorch(value: pad.value) else {
      let rows = padded(x, 2, before: amounts.top, after: amounts.bottom, pad.mode, &forward)
      return padded(rows, 3, before: amounts.left, after: amounts.right, pad.mode, &forward)
    }
    return "F.pad(\(x), \(Self.order(amounts))\(mode))"
  }

  /// A dimension padded by elements of its own.
  func padded(
    _ x: String, _ dimension: Int, before: Int, after: Int, _ mode: PadMode,
    _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.padAlong)
    return "pad_along(\(x), \(dimension), \(before), \(after), \"\(mode.rawValue)\")"
  }

  /// PaddingAmounts in PyTorch's order: the last dimension first.
  static func order(_ amounts: PaddingAmounts) -> String {
    PythonText.tuple([amounts.left, amounts.right, amounts.top, amounts.bottom])
  }

  /// What is left of an image without its edges.
  static func range(_ amounts: PaddingAmounts) -> String {
    let parts = Axis.allCases.map { axis in
      let before = amounts.before(axis), after = amounts.after(axis)
      return (before == 0 ? "" : "\(before)") + ":" + (after == 0 ? "" : "-\(after)")
    }
    return ":, :, " + parts.joined(separator: ", ")
  }
}

extension Pad: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let type: Int
    switch mode {
    case .zero: type = 0
    case .edge: type = 1
    case .reflect: type = 2
    case .symmetric, .circular: throw writer.refusal(node, "ncnn does not pad by \(mode.rawValue)")
    }
    try writer.emit(
      "Padding", node, [writer.blob(node.inputs[0])], value,
      [
        (0, .integer(amounts.top)), (1, .integer(amounts.bottom)), (2, .integer(amounts.left)),
        (3, .integer(amounts.right)), (4, .integer(type)), (5, .float(self.value)),
      ])
  }
}

extension Crop: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    // -233 stands for the end.
    let ends = [amounts.bottom, amounts.right].map { $0 == 0 ? -233 : -$0 }
    guard amounts.bottom != 233, amounts.right != 233 else {
      throw writer.refusal(node, "ncnn cannot cut 233 rows")
    }
    try writer.emit(
      "Crop", node, [writer.blob(node.inputs[0])], value,
      [
        (9, .integers([amounts.top, amounts.left])), (10, .integers(ends)),
        (11, .integers([1, 2])),
      ])
  }
}
