import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Pad: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let pads = writer.integers(
      node, "pads", [0, 0, amounts.top, amounts.left, 0, 0, amounts.bottom, amounts.right])
    let word =
      switch mode {
      case .zero: "constant"
      case .reflect: "reflect"
      case .edge: "edge"
      }
    writer.emit(
      "Pad", node, [writer.name(node.inputs[0]), pads], value, [("mode", .text(word))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    guard mode == .zero else {
      throw builder.refusal(node.name, "no layer pads by mirrored or repeated pixels")
    }
    return builder.padded(try builder.picture(inputs[0], node.name), amounts, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.pad(inputs[0], amounts, mode)
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
      function.x, function.option("paddings") ?? function.arguments.first,
      options: function.call.options, function.layer)
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

extension ONNXReader {
  mutating func pad() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard var pads = try integers(1, "pads") ?? node.integers("paddings") else {
      throw unsupported("constant pads expected")
    }
    if let axes = try integers(3, "axes") {
      guard pads.count == 2 * axes.count, axes.count <= 4 else { throw unsupported("pads \(pads)") }
      var all = [Int](repeating: 0, count: 8)
      for (i, axis) in axes.enumerated() {
        let dimension = try self.axis(axis, rank: 4)
        (all[dimension], all[4 + dimension]) = (pads[i], pads[axes.count + i])
      }
      pads = all
    }
    let window = -GraphLimits.window...GraphLimits.window
    guard pads.count == 8, pads.allSatisfy(window.contains), pads[0] == 0, pads[1] == 0,
      pads[4] == 0, pads[5] == 0
    else { throw unsupported("pads of rows and columns expected, \(pads) found") }
    let mode: PadMode
    switch node.text("mode") ?? "constant" {
    case "constant":
      let filling = try numbers(2)?.constant ?? [node.number("value") ?? 0]
      guard filling == [0] || filling.isEmpty else {
        throw unsupported("padding with 0 expected, with \(filling[0]) found")
      }
      mode = .zero
    case "reflect": mode = .reflect
    case "edge": mode = .edge
    case let mode: throw unsupported("mode \(mode)")
    }
    let amounts = [pads[2], pads[3], pads[6], pads[7]]
    var result = input
    // Negative numbers cut.
    if amounts.contains(where: { $0 < 0 }) {
      let cut = amounts.map { max(-$0, 0) }
      result = try add(.crop(Crop(PaddingAmounts(cut[0], cut[1], cut[2], cut[3]))), [result])
    }
    if amounts.contains(where: { $0 > 0 }) {
      let added = amounts.map { max($0, 0) }
      result = try add(
        .pad(Pad(PaddingAmounts(added[0], added[1], added[2], added[3]), mode)), [result])
    }
    return .value(result)
  }
}

extension KerasImport {
  /// Rows and columns of zeros around a picture, as TensorFlow states them: two numbers an axis.
  mutating func padded(
    _ x: KerasTensor, _ paddings: JSON?, options: [String: JSON], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    let pairs = (paddings?.array ?? []).map { $0.array?.compactMap(\.int) ?? [] }
    let mode = options["mode"]?.string?.uppercased() ?? "CONSTANT"
    let fill = (options["constant_values"]?.double ?? 0)
    guard x.rank == 4, pairs.count == 4, pairs.allSatisfy({ $0.count == 2 }),
      pairs.joined().allSatisfy((0...GraphLimits.window).contains),
      mode == "REFLECT" || mode == "CONSTANT" && fill == 0
    else { throw layer.refusal("rows and columns of zeros, or mirrored, expected") }
    let x = try arranged(
      x, as: KerasTensor.pictureAxes(channelsFirst: isChannelsFirst), layer.fullName)
    var ours = pairs
    for (axis, pair) in zip(x.axes, pairs) { ours[axis] = pair }
    guard ours[0] == [0, 0], ours[1] == [0, 0] else {
      throw layer.refusal("paddings of rows and columns alone expected")
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
    if mode == .zero { try layer.require(5, 0, default: 0, "padding with other than zeros") }
    try give(layer, .value(try add(.pad(Pad(amounts, mode)), layer, try values(of: layer))))
  }

  /// Only in the form of starts, ends and axes does a crop not depend on another blob.
  mutating func crop(_ layer: NCNNLayer) throws(InterchangeError) {
    var value = try values(of: layer)[0]
    let rank = shape(value).count
    guard let starts = layer.integers(9), let ends = layer.integers(10), !starts.isEmpty,
      starts.count == ends.count, rank == 4
    else { throw layer.unsupported("starts and ends of a picture expected") }
    guard let axes = layer.has(11) ? layer.integers(11) : Array(starts.indices),
      axes.count == starts.count, Set(axes).count == axes.count
    else { throw layer.unsupported("different axes expected") }
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
          throw layer.unsupported("a part whose size does not follow the picture's")
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
}

extension PyTorchOperation {
  func pad(_ x: String, _ amounts: PaddingAmounts, _ mode: PadMode) -> String {
    let name =
      switch mode {
      case .zero: ""
      case .reflect: ", mode=\"reflect\""
      case .edge: ", mode=\"replicate\""
      }
    return "F.pad(\(x), \(Self.order(amounts))\(name))"
  }

  /// PaddingAmounts in PyTorch's order: the last dimension first.
  static func order(_ amounts: PaddingAmounts) -> String {
    PythonText.tuple([amounts.left, amounts.right, amounts.top, amounts.bottom])
  }

  /// What is left of a picture without its edges.
  static func range(_ amounts: PaddingAmounts) -> String {
    let parts = Axis.allCases.map { axis in
      let before = amounts.before(axis), after = amounts.after(axis)
      return (before == 0 ? "" : "\(before)") + ":" + (after == 0 ? "" : "-\(after)")
    }
    return ":, :, " + parts.joined(separator: ", ")
  }
}
