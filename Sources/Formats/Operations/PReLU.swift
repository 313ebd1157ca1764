import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension PReLU: WeightedOperation {
  static let kerasKinds: [String: ExternalLayer.Kind] = ["prelu": .prelu]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .prelu }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    let channels = shape.count > 1 ? shape[1] ?? 1 : 1
    return ("PReLU(\(perChannel ? channels : 1))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let shape = writer.shapes[node.inputs[0]]
    let ones = [Int](repeating: 1, count: max(shape.count - 2, 0))
    let steps: [TensorStep] =
      perChannel && !ones.isEmpty ? [.reshaped(from: [shape[1]], to: [shape[1]] + ones)] : []
    writer.emit(
      "PRelu", node,
      [writer.name(node.inputs[0]), try writer.parameter(node.parameters[0], steps)], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    builder.prelu(inputs[0], node.name, perChannel: perChannel) { from, to in
      .parameter(node.parameters[0], from == to ? [] : [.reshaped(from: from, to: to)])
    }
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    return expression.called(x) ?? "F.prelu(\(x), \(expression.parameters()))"
  }
}

extension PReLU: ONNXReadOperation {
  static let onnxOperators = [
    "PRelu": [ONNXWeight(input: 1, suffix: "weight", layout: .vector)]
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.prelu()
  }
}

extension PReLU: KerasLayerOperation {
  static let kerasLayers = ["PReLU"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.prelu(layer, x)
  }
}

extension PReLU: NCNNReadOperation {
  static let ncnnLayers = ["PReLU"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    layer.vectors(["weight"], try layer.size(0))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.prelu(layer)
  }
}

extension ONNXReader {
  mutating func prelu() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let slope = try parameter(1), slope.shape.count == 1 else {
      throw unsupported("expected a slope for each channel, or one for all")
    }
    // The slope's own shape must lie along the channels.
    if slope.shape != [1], let shape = node.input(1).flatMap({ model.constants[$0]?.shape }) {
      let full = [Int](repeating: 1, count: max(rank(input) - shape.count, 0)) + shape
      guard full.count == rank(input), full.count >= 2, full[1] == slope.shape[0] else {
        throw unsupported("expected a slope for each channel, found a slope of shape \(shape)")
      }
    }
    return .value(
      try add(
        .prelu(PReLU(perChannel: slope.shape != [1] || shapes[input][0].dropFirst().first == 1)),
        [input],
        name: layer(slope.name), parameters: [slope.name]))
  }
}

extension KerasImport {
  /// A learned slope for each channel, or one for all.
  mutating func prelu(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    var x = try unflattened(x, layer.fullName)
    var shared: Set<Int> = []
    for number in layer.option(["shared_axes"])?.array ?? [] {
      guard let number = number.int else { throw layer.refusal("shared_axes: expected numbers") }
      shared.insert(try axis(number, of: x, layer))
    }
    // Axes of one element, and all that share, have one slope.
    let own = (1..<x.rank).filter { !shared.contains($0) && x.kerasShape[$0] > 1 }
    guard own.count <= 1 else {
      throw layer.refusal(
        "a slope for each pixel is not supported; one a channel, or one for all, is")
    }
    if let channel = own.first { x = try withChannels(channel, x, layer) }
    let count = own.isEmpty ? 1 : x.shape[1]
    let stored = file.tensors[try position(of: ["weight", "alpha", "0"], layer)].shape
    let name = try bind(
      layer, "weight", [count], from: ["weight", "alpha", "0"],
      steps: stored == [count] ? [] : [.reshaped(from: stored, to: [count])])
    return try add(
      .prelu(PReLU(perChannel: !own.isEmpty)), [x], name: layer.fullName, of: layer,
      parameters: [name])
  }
}

extension KerasBuilder {
  mutating func prelu(
    _ x: PlacedValue, _ name: String, perChannel: Bool,
    _ content: ([Int], [Int]) -> KerasModel.Content
  ) -> PlacedValue {
    let channel = perChannel ? x.axis(of: 1) : -1
    let channels = perChannel ? x.place.shape[channel] ?? 1 : 1
    let axes = 1..<x.order.count
    let shape = axes.map { $0 == channel ? channels : 1 }
    let shared = axes.filter { $0 != channel }
    return add(
      "PReLU", name,
      ["shared_axes": shared.isEmpty ? .null : .array(shared.map(JSON.int))], [x],
      variables: [
        KerasModel.Variable(name: "alpha", shape: shape, content: content([channels], shape))
      ])
  }
}

extension NCNNImporter {
  mutating func prelu(_ layer: NCNNLayer) throws(InterchangeError) {
    let slopes = try layer.integer(0, in: 1...GraphLimits.channels)
    let value = try values(of: layer)[0]
    // Of one channel, one slope is that channel's.
    let perChannel = slopes > 1 || shape(value).count > 1 && shape(value)[1] == 1
    try give(
      layer,
      .value(try add(.prelu(PReLU(perChannel: perChannel)), layer, [value], parameters: ["weight"]))
    )
  }
}

extension PReLU: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let slopes = perChannel ? writer.shapes[value][1] : 1
    try writer.emit(
      "PReLU", node, [writer.blob(node.inputs[0])], value, [(0, .integer(slopes))],
      ["weight": .parameter(node.parameters[0])])
  }
}
