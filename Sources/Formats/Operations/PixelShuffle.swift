import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension PixelShuffle: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "DepthToSpace", node, [writer.name(node.inputs[0])], value,
      [("blocksize", .integer(factor)), ("mode", .text(order == .pytorch ? "CRD" : "DCR"))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.pixelShuffle(
      try builder.picture(inputs[0], node.name), factor, order, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    switch order {
    case .pytorch: return "F.pixel_shuffle(\(inputs[0]), \(factor))"
    case .tensorflow:
      forward.need(.depthToSpace)
      return "depth_to_space(\(inputs[0]), \(factor))"
    }
  }
}

extension PixelShuffle: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["DepthToSpace": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.depthToSpace()
  }
}

extension PixelShuffle: KerasFunctionOperation {
  static let kerasFunctions = ["depthtospace"]

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.shuffled(
      function.x, isInverse: false,
      by: (function.option("block_size") ?? function.arguments.first)?.int,
      format: function.option("data_format")?.string, function.layer)
  }
}

extension PixelShuffle: NCNNReadOperation {
  static let ncnnLayers = ["PixelShuffle"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.pixelShuffle(layer)
  }
}

extension PixelUnshuffle: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let input = [writer.name(node.inputs[0])]
    let blocks: [(String, ONNXModelBuilder.Attribute)] = [("blocksize", .integer(factor))]
    guard order == .pytorch else {
      return writer.emit("SpaceToDepth", node, input, value, blocks)
    }
    // ONNX has TensorFlow's order only: the channels are put in the other.
    let (area, depth) = (factor * factor, writer.shapes[node.inputs[0]][1])
    let order = writer.integers(
      node, "order", (0..<area * depth).map { $0 % area * depth + $0 / area })
    let parts = writer.step("SpaceToDepth", node, input, blocks)
    writer.emit("Gather", node, [parts, order], value, [("axis", .integer(1))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.pixelUnshuffle(
      try builder.picture(inputs[0], node.name), factor, order, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    switch order {
    case .pytorch: return "F.pixel_unshuffle(\(inputs[0]), \(factor))"
    case .tensorflow:
      forward.need(.spaceToDepth)
      return "space_to_depth(\(inputs[0]), \(factor))"
    }
  }
}

extension PixelUnshuffle: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["SpaceToDepth": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.depthToSpace()
  }
}

extension PixelUnshuffle: KerasFunctionOperation {
  static let kerasFunctions = ["spacetodepth"]

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.shuffled(
      function.x, isInverse: true,
      by: (function.option("block_size") ?? function.arguments.first)?.int,
      format: function.option("data_format")?.string, function.layer)
  }
}

extension ONNXReader {
  mutating func depthToSpace() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard let factor = node.integer("blocksize") else { throw unsupported("expected a blocksize") }
    if node.kind == "SpaceToDepth" {
      return .value(
        try add(.pixelUnshuffle(PixelUnshuffle(factor: factor, order: .tensorflow)), [input]))
    }
    let order: ChannelOrder
    switch node.text("mode") ?? "DCR" {
    case "DCR": order = .tensorflow
    case "CRD": order = .pytorch
    case let mode: throw unsupported("mode \(mode)")
    }
    return .value(try add(.pixelShuffle(PixelShuffle(factor: factor, order: order)), [input]))
  }

  /// The pixel shuffle or its inverse that exporters write as dimensions taken apart, turned, and put
  /// together to these shapes, of which the last is to be done; nil for any other reshaping.
  mutating func shuffled(_ turned: Int, to rows: [[Int]]) throws(InterchangeError) -> Int? {
    guard rows[0].count == 4, let turn = source(origins[turned] ?? turned),
      case .permute(let permute) = turn.op, permute.order.count == 6
    else { return nil }
    let base = turn.inputs[0]
    guard let image = origins[base], rank(image) == 4 else { return nil }
    let (from, parts) = (shapes[image], shapes[base])
    /// The six dimensions, by what stands where.
    func fits(_ dimensions: (_ n: Int, _ c: Int, _ h: Int, _ w: Int) -> [Int]) -> Bool {
      zip(from, parts).allSatisfy { dimensions($0[0], $0[1], $0[2], $0[3]) == $1 }
    }
    let op: Op
    switch permute.order {
    case [0, 1, 4, 2, 5, 3]:
      let r = parts[0][2]
      guard fits({ n, c, h, w in [n, c / (r * r), r, r, h, w] }) else { return nil }
      op = .pixelShuffle(PixelShuffle(factor: r, order: .pytorch))
    case [0, 3, 4, 1, 5, 2]:
      let r = parts[0][1]
      guard fits({ n, c, h, w in [n, r, r, c / (r * r), h, w] }) else { return nil }
      op = .pixelShuffle(PixelShuffle(factor: r, order: .tensorflow))
    case [0, 1, 3, 5, 2, 4], [0, 3, 5, 1, 2, 4]:
      let r = parts[0][3]
      guard fits({ n, c, h, w in [n, c, h / r, r, w / r, r] }) else { return nil }
      let isPyTorch = permute.order[1] == 1
      op = .pixelUnshuffle(PixelUnshuffle(factor: r, order: isPyTorch ? .pytorch : .tensorflow))
    default: return nil
    }
    // It must ask for the image that the shuffle gives.
    let results = try? from.map { shape throws(ShapeProblem) in try op.outputShape([shape]) }
    guard (try? op.checkAttributes(node: "")) != nil, results == rows else { return nil }
    return try add(op, [image])
  }
}

extension KerasImport {
  /// TensorFlow's pixel shuffle, channels counted by pixels first.
  mutating func shuffled(
    _ x: KerasTensor, isInverse: Bool, by factor: Int?, format: String?, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard let factor, (1...64).contains(factor) else {
      throw layer.refusal(
        "block_size: expected 1 to 64, found \(factor.map(String.init) ?? "none")")
    }
    var plain = layer
    plain.config = ["data_format": .string(format ?? "channels_last")]
    let x = try picture(x, plain)
    if plain.isChannelsFirst == true, layer.module.contains(".ops") {
      assumed.append(
        "layer \(layer.name): channels in TensorFlow's order; Keras on PyTorch counts them otherwise"
      )
    }
    return try add(
      isInverse
        ? .pixelUnshuffle(PixelUnshuffle(factor: factor, order: .tensorflow))
        : .pixelShuffle(PixelShuffle(factor: factor, order: .tensorflow)), [x],
      name: layer.fullName, of: layer)
  }
}

extension KerasBuilder {
  /// Pixel shuffle as a transposed convolution that puts each channel at its pixel: every Keras loads
  /// it.
  mutating func pixelShuffle(
    _ x: PlacedValue, _ r: Int, _ order: ChannelOrder, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let inputs = x.place.shape[3] ?? 1
    let outputs = inputs / (r * r)
    // (row, column, output channel, input channel)
    let kernel = try oneHot(
      [r, r, outputs, inputs], name,
      at: (0..<inputs).map { input in
        let (pixel, channel) = order.place(input, factor: r, channels: outputs)
        return (pixel * outputs + channel) * inputs + input
      })
    return add(
      "Conv2DTranspose", name,
      [
        "filters": .int(outputs), "kernel_size": .int(r), "strides": .int(r), "padding": "valid",
        "use_bias": false,
      ], [x], shape: [nil, nil, nil, outputs], variables: [kernel])
  }

  mutating func pixelUnshuffle(
    _ x: PlacedValue, _ r: Int, _ order: ChannelOrder, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let inputs = x.place.shape[3] ?? 1
    let outputs = inputs * r * r
    // (row, column, input channel, output channel)
    let kernel = try oneHot(
      [r, r, inputs, outputs], name,
      at: (0..<outputs).map { output in
        let (pixel, channel) = order.place(output, factor: r, channels: inputs)
        return (pixel * inputs + channel) * outputs + output
      })
    return add(
      "Conv2D", name,
      [
        "filters": .int(outputs), "kernel_size": .int(r), "strides": .int(r), "padding": "valid",
        "use_bias": false,
      ], [x], shape: [nil, nil, nil, outputs], variables: [kernel])
  }
}

extension ChannelOrder {
  /// The pixel (row · r + column) and the channel of an enlarged image that a channel of the small
  /// one holds.
  fileprivate func place(
    _ channel: Int, factor r: Int, channels: Int
  ) -> (pixel: Int, channel: Int) {
    switch self {
    case .pytorch: (channel % (r * r), channel / (r * r))
    case .tensorflow: (channel / channels, channel % channels)
    }
  }
}

extension NCNNImporter {
  mutating func pixelShuffle(_ layer: NCNNLayer) throws(InterchangeError) {
    let factor = try layer.integer(0, default: 1, in: 1...64)
    let order: ChannelOrder = try layer.integer(1, in: 0...1) == 0 ? .pytorch : .tensorflow
    try give(
      layer,
      .value(
        try add(
          .pixelShuffle(PixelShuffle(factor: factor, order: order)), layer, try values(of: layer))))
  }
}

extension PixelShuffle: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.shuffle("PixelShuffle", node, value, factor, order)
  }
}

extension PixelUnshuffle: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.shuffle("Reorg", node, value, factor, order)
  }
}

extension NCNNWriter {
  fileprivate mutating func shuffle(
    _ kind: String, _ node: Graph.Node, _ value: Int, _ factor: Int, _ order: ChannelOrder
  ) throws(InterchangeError) {
    try emit(
      kind, node, [blob(node.inputs[0])], value,
      [(0, .integer(factor)), (1, .integer(order == .pytorch ? 0 : 1))])
  }
}

extension PixelUnshuffle: NCNNReadOperation {
  static let ncnnLayers = ["Reorg"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let factor = try layer.integer(0, default: 1, in: 1...64)
    let order: ChannelOrder = try layer.integer(1, in: 0...1) == 0 ? .pytorch : .tensorflow
    let op = Op.pixelUnshuffle(PixelUnshuffle(factor: factor, order: order))
    try importer.give(
      layer, .value(try importer.add(op, layer, try importer.values(of: layer))))
  }
}
