import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension BatchNormalization: WeightedOperation {
  static let kerasKinds: [String: ExternalLayer.Kind] = [
    "batchnormalization": .batchNormalization, "syncbatchnormalization": .batchNormalization,
    "batchnormalizationv1": .batchNormalization,
  ]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .batchNormalization }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    guard scale == center, shape.count == 4 else { return nil }
    var arguments = ["\(shape[1] ?? 1)"]
    if epsilon != 1e-5 { arguments.append("eps=\(epsilon)") }
    if momentum != 0.1 { arguments.append("momentum=\(momentum)") }
    if !scale { arguments.append("affine=False") }
    return ("BatchNorm2d(\(arguments.joined(separator: ", ")))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.batchNormalization(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    builder.batchNormalization(inputs[0], self, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    expression.batchNormalization(inputs[0], self)
  }
}

extension BatchNormalization: ONNXReadOperation {
  static let onnxOperators = [
    "BatchNormalization": ONNXWeight.weightAndBias + [
      ONNXWeight(input: 3, suffix: "running_mean"), ONNXWeight(input: 4, suffix: "running_var"),
    ]
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.batchNormalization()
  }
}

extension BatchNormalization: KerasLayerOperation {
  static let kerasLayers = ["BatchNormalization"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.batchNormalization(layer, x)
  }
}

extension BatchNormalization: NCNNReadOperation {
  static let ncnnLayers = ["BatchNorm"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    layer.vectors(["weight", "running_mean", "running_var", "bias"], try layer.size(0))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.normalization(layer)
  }
}

extension ONNXReader {
  mutating func batchNormalization() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard node.integer("training_mode") ?? 0 == 0 else { throw unsupported("training_mode") }
    guard let weight = try parameter(1), let bias = try parameter(2),
      let mean = try parameter(3), let variance = try parameter(4)
    else { throw unsupported("expected four tensors of weights") }
    let stem = layer(weight.name) ?? weight.name
    // PyTorch counts the steps of training; nothing else does.
    let counter = "\(stem).num_batches_tracked"
    made[counter] = try? Tensor(zeros: [], elementType: .int64)
    return .value(
      try add(
        .batchNormalization(
          BatchNormalization(
            epsilon: node.number("epsilon") ?? 1e-5, momentum: 1 - (node.number("momentum") ?? 0.9))
        ), [input], name: layer(weight.name),
        parameters: [weight.name, bias.name, mean.name, variance.name, counter]))
  }
}

extension ONNXWriter {
  mutating func batchNormalization(
    _ b: BatchNormalization, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let channels = shapes[node.inputs[0]][1]
    var left = node.parameters[...]
    func next(_ has: Bool, _ what: String, _ number: Double) throws(InterchangeError) -> String {
      guard has, let name = left.popFirst() else {
        return filled(node, what, number, count: channels)
      }
      return try parameter(name)
    }
    let weight = try next(b.scale, "weight", 1)
    let bias = try next(b.center, "bias", 0)
    let mean = try next(true, "mean", 0)
    let variance = try next(true, "variance", 1)
    // ONNX states what stays of the running statistics, PyTorch what comes in.
    emit(
      "BatchNormalization", node, [name(node.inputs[0]), weight, bias, mean, variance], value,
      [("epsilon", .float(b.epsilon)), ("momentum", .float(1 - b.momentum))])
  }
}

extension KerasImport {
  /// Normalisation by running statistics, along any one axis.
  mutating func batchNormalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    guard try layer.integer(["mode"], in: 0...2, default: 0) != 1 else {
      throw layer.refusal("mode 1 of Keras 1 is not supported")
    }
    let axis = try axis(layer, x)
    let x = try withChannels(axis, x, layer)
    let normalization = BatchNormalization(
      epsilon: try layer.number(["epsilon"], default: 1e-3),
      // Keras states what stays, PyTorch what comes.
      momentum: 1 - (try layer.number(["momentum"], default: 0.99)),
      scale: try layer.flag(["scale"], default: true),
      center: try layer.flag(["center"], default: true))
    guard normalization.epsilon > 0 else {
      throw layer.refusal("epsilon: expected a number above 0")
    }
    var names: [String] = []
    let shape = [x.shape[1]]
    if normalization.scale { names.append(try bind(layer, "weight", shape)) }
    if normalization.center { names.append(try bind(layer, "bias", shape)) }
    names.append(try bind(layer, "running_mean", shape))
    names.append(try bind(layer, "running_var", shape))
    frozen.subtract(names.suffix(2))
    names.append("\(layer.fullName).num_batches_tracked")
    return try add(
      .batchNormalization(normalization), [x], name: layer.fullName, of: layer, parameters: names)
  }
}

extension KerasBuilder {
  mutating func batchNormalization(
    _ x: PlacedValue, _ b: BatchNormalization, _ node: Graph.Node
  ) -> PlacedValue {
    let kept = (b.scale ? ["gamma"] : []) + (b.center ? ["beta"] : [])
    let names = kept + ["moving_mean", "moving_variance"]
    let channels = x.place.shape[x.axis(of: 1)] ?? 1
    return add(
      "BatchNormalization", node.name,
      [
        "axis": .int(x.axis(of: 1)), "momentum": .number(1 - b.momentum),
        "epsilon": .number(b.epsilon), "center": .bool(b.center), "scale": .bool(b.scale),
      ], [x],
      variables: zip(names, node.parameters).map {
        KerasModel.Variable(name: $0, shape: [channels], content: .parameter($1, []))
      })
  }
}

extension NCNNImporter {
  mutating func normalization(_ layer: NCNNLayer) throws(InterchangeError) {
    let epsilon = layer.number(1)
    guard epsilon >= 0 else { throw layer.unsupported("an epsilon of \(epsilon)") }
    // None is allowed here, where an epsilon must be above 0: below float32's smallest it is none.
    let op = Op.batchNormalization(BatchNormalization(epsilon: max(epsilon, 1e-300)))
    let value = try add(
      op, layer, try values(of: layer),
      parameters: ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])
    try give(layer, .value(value))
  }
}

extension PyTorchOperation {
  func batchNormalization(_ x: String, _ b: BatchNormalization) -> String {
    if let call = called(x) { return call }
    var list = parameterList()[...]
    let weight = b.scale ? list.removeFirst() : "None"
    let bias = b.center ? list.removeFirst() : "None"
    let statistics = list.prefix(2).joined(separator: ", ")
    return "F.batch_norm(\(x), \(statistics), \(weight), \(bias), eps=\(b.epsilon))"
  }
}

extension BatchNormalization: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let channels = writer.shapes[value][1]
    try writer.emit(
      "BatchNorm", node, [writer.blob(node.inputs[0])], value,
      [(0, .integer(channels)), (1, .float(epsilon))],
      writer.contents(
        node,
        [
          ("weight", scale, 1), ("bias", center, 0), ("running_mean", true, 0),
          ("running_var", true, 1),
        ], count: channels))
  }
}

extension NCNNWriter {
  /// One number over and over.
  func filled(
    _ node: Graph.Node, _ number: Float, count: Int
  ) throws(InterchangeError) -> Tensor {
    do {
      return try Tensor(shape: [count], [Float](repeating: number, count: count))
    } catch {
      throw refusal(node, "\(error)")
    }
  }

  /// The weight and the bias of a normalisation, 1 and 0 where it has none; nothing where it has
  /// neither.
  func affine(
    _ node: Graph.Node, scale: Bool, center: Bool, count: Int
  ) throws(InterchangeError) -> [String: Content] {
    guard scale || center else { return [:] }
    return try contents(node, [("weight", scale, 1), ("bias", center, 0)], count: count)
  }

  /// What a layer takes from the file of weights: the node's parameters in their order, and one number
  /// over and over for each that it does without.
  func contents(
    _ node: Graph.Node, _ slots: [(suffix: String, isThere: Bool, absent: Float)], count: Int
  ) throws(InterchangeError) -> [String: Content] {
    var names = node.parameters[...]
    var content: [String: Content] = [:]
    for (suffix, isThere, absent) in slots {
      if isThere, let name = names.popFirst() {
        content[suffix] = .parameter(name)
      } else {
        content[suffix] = .constant(try filled(node, absent, count: count))
      }
    }
    return content
  }
}
