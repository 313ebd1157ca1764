import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension LayerNormalization: WeightedOperation {
  // Its weights are told by shapes and names.
  static let kerasKinds: [String: ExternalLayer.Kind] = [:]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .other }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    let range = range(rank: shape.count)
    guard kind == .layer, scale, range.upperBound == shape.count else { return nil }
    let sizes = shape[range].compactMap { $0 }
    guard sizes.count == dimensions else { return nil }
    let bias = center ? "" : ", bias=False"
    return ("LayerNorm(\(PythonText.tuple(sizes)), eps=\(epsilon)\(bias))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    if kind == .layer, scale {
      try writer.layerNormalization(self, node, value)
    } else {
      try writer.normalization(self, node, value)
    }
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.layerNormalization(inputs[0], self, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    if let call = expression.called(x) { return call }
    let rank = expression.shapes.values[expression.node.inputs[0]].count
    let range = range(rank: rank)
    var list = expression.parameterList()[...]
    let weight = scale ? list.removeFirst() : "None"
    let bias = center ? list.removeFirst() : "None"
    if kind == .layer, range.upperBound == rank {
      return
        "F.layer_norm(\(x), \(expression.object(x)).shape[-\(dimensions):], \(weight), \(bias), "
        + "eps=\(epsilon))"
    }
    if kind == .l2, dimensions == 1, !scale, !center {
      return "F.normalize(\(x), dim=\(range.lowerBound), eps=\(epsilon))"
    }
    forward.need(.normalize)
    let word = addsEpsilonToRoot ? "rmsPlusEpsilon" : kind.word
    return "normalize(\(x), \"\(word)\", \(PythonText.tuple(Array(range))), \(epsilon), \(weight), "
      + "\(bias))"
  }

  /// PyTorch's `layer_norm` asks its operand for the shape.
  var repeatsOperand: Bool { true }
}

extension LayerNormalization.Kind {
  /// The word in Python's text.
  fileprivate var word: String {
    switch self {
    case .layer: "layer"
    case .biasFree: "biasFree"
    case .rms: "rms"
    case .l2: "l2"
    }
  }
}

extension LayerNormalization: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "LayerNormalization": ONNXWeight.weightAndBias,
    "RMSNormalization": [ONNXWeight(input: 1, suffix: "weight")],
    "LpNormalization": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    reader.node.kind == "LpNormalization"
      ? try reader.normalizationByNorm() : try reader.layerNormalization()
  }
}

extension LayerNormalization: KerasLayerOperation {
  static let kerasLayers = ["LayerNormalization", "RMSNormalization", "UnitNormalization"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.layerNormalization(layer, x)
  }
}

extension LayerNormalization: NCNNReadOperation {
  static let ncnnLayers = ["LayerNorm", "RMSNorm"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    let names = layer.layer.type == "RMSNorm" ? ["weight"] : ["weight", "bias"]
    return try layer.size(2, default: 1) == 0 ? [] : layer.vectors(names, layer.size(0))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.layerNormalization(layer)
  }
}

extension ONNXReader {
  fileprivate mutating func layerNormalization() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    let dimensions = rank - (try axis(node.integer("axis") ?? -1, rank: rank))
    guard let weight = try parameter(1) else { throw unsupported("expected a weight") }
    let bias = try parameter(2)?.name
    let normalization = LayerNormalization(
      node.kind == "RMSNormalization" ? .rms : .layer, dimensions: dimensions,
      epsilon: node.number("epsilon") ?? 1e-5, center: bias != nil)
    return .value(
      try add(
        normalization.op, [input], name: layer(weight.name),
        parameters: [weight.name] + [bias].compactMap { $0 }))
  }
}

extension ONNXReader {
  /// Divided by the root of the sum of squares along an axis, which ONNX leaves alone where it is 0.
  fileprivate mutating func normalizationByNorm() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let dimension = try axis(node.integer("axis") ?? -1, rank: rank(input))
    guard node.integer("p") ?? 2 == 2 else {
      throw unsupported("a norm of order \(node.integer("p") ?? 2), where 2 is read")
    }
    let normalization = LayerNormalization(
      .l2, first: dimension, epsilon: Double(Float.leastNormalMagnitude))
    return .value(try add(normalization.op, [input]))
  }
}

extension ONNXWriter {
  /// ONNX's operator, which normalises the last dimensions: others are moved there and back.
  fileprivate mutating func layerNormalization(
    _ normalization: LayerNormalization, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let rank = shapes[node.inputs[0]].count
    let range = normalization.range(rank: rank)
    let order = Array(0..<range.lowerBound) + (range.upperBound..<rank) + range
    let isLast = range.upperBound == rank
    var input = name(node.inputs[0])
    if !isLast { input = step("Transpose", node, [input], [("perm", .integers(order))]) }
    var operands = [input]
    for name in node.parameters { operands.append(try parameter(name)) }
    let attributes: [(String, ONNXModelBuilder.Attribute)] = [
      ("axis", .integer(-range.count)), ("epsilon", .float(normalization.epsilon)),
    ]
    if isLast { return emit("LayerNormalization", node, operands, value, attributes) }
    let normalized = step("LayerNormalization", node, operands, attributes)
    var back = Array(0..<rank)
    for (place, dimension) in order.enumerated() { back[dimension] = place }
    emit("Transpose", node, [normalized], value, [("perm", .integers(back))])
  }

  /// What version 17 has no operator for, by its formula.
  fileprivate mutating func normalization(
    _ n: LayerNormalization, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let rank = shapes[node.inputs[0]].count
    let range = n.range(rank: rank)
    let axes: (String, ONNXModelBuilder.Attribute) = ("axes", .integers(Array(range)))
    let input = name(node.inputs[0])
    let epsilon = floats(node, "epsilon", [n.epsilon], rank: rank)
    var (numerator, squared) = (input, input)
    if n.kind == .layer || n.kind == .biasFree {
      let mean = step("ReduceMean", node, [input], [axes])
      squared = step("Sub", node, [input, mean])
      if n.kind == .layer { numerator = squared }
    }
    let square = step("Mul", node, [squared, squared])
    let divisor: String
    switch n.kind {
    case .layer, .biasFree, .rms:
      let mean = step("ReduceMean", node, [square], [axes])
      if n.addsEpsilonToRoot {
        divisor = step("Add", node, [step("Sqrt", node, [mean]), epsilon])
      } else {
        divisor = step("Sqrt", node, [step("Add", node, [mean, epsilon])])
      }
    case .l2:
      let sum = step("ReduceSum", node, [square, integers(node, "axes", Array(range))])
      divisor = step("Max", node, [step("Sqrt", node, [sum]), epsilon])
    }
    var operators: [(kind: String, operand: String)] = [("Div", divisor)]
    let sizes = Array(shapes[node.inputs[0]][range])
    let ones = [Int](repeating: 1, count: rank - range.upperBound)
    let steps: [TensorStep] = ones.isEmpty ? [] : [.reshaped(from: sizes, to: sizes + ones)]
    for (kind, name) in zip((n.scale ? ["Mul"] : []) + (n.center ? ["Add"] : []), node.parameters) {
      operators.append((kind, try parameter(name, steps)))
    }
    var current = numerator
    for (kind, operand) in operators.dropLast() { current = step(kind, node, [current, operand]) }
    if let last = operators.last { emit(last.kind, node, [current, last.operand], value) }
  }
}

extension NCNNImporter {
  /// Normalisation over rows, or over whole channels where the layer says how large those are.
  fileprivate mutating func layerNormalization(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer)
    let shape = shape(values[0])
    let size = try layer.integer(0, in: 1...GraphLimits.dimension)
    let affine = try layer.integer(2, default: 1, in: 0...1) == 1
    let dimensions = shape.last == size ? 1 : 2
    guard dimensions == 1 || shape.count == 4 && shape[2] * shape[3] == size else {
      throw layer.unsupported("normalisation over \(size) elements of a value of shape \(shape)")
    }
    let isRMS = layer.type == "RMSNorm"
    let normalization = LayerNormalization(
      isRMS ? .rms : .layer, dimensions: dimensions, epsilon: try layer.epsilon(1), scale: affine,
      center: affine && !isRMS)
    if affine, dimensions > 1 {
      for suffix in normalization.op.slotSuffixes {
        steps["\(layer.name).\(suffix)", default: []].append(
          .reshaped(from: [size], to: Array(shape.suffix(2))))
      }
    }
    let value = try add(
      normalization.op, layer, values, parameters: normalization.op.slotSuffixes)
    try give(layer, .value(value))
  }
}

extension LayerNormalization: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    guard kind == .layer || kind == .rms && !addsEpsilonToRoot && !center, dimensions == 1 else {
      throw writer.refusal(
        node, "ncnn has LayerNorm and RMSNorm over one dimension, and not what \(name) states")
    }
    let shape = writer.shapes[value]
    let dimension = range(rank: shape.count).lowerBound
    guard let size = writer.fixedSize(value, dimension) else {
      throw writer.refusal(node, "what it normalises over depends on the image's size")
    }
    let type = kind == .layer ? "LayerNorm" : "RMSNorm"
    let content = try writer.affine(node, scale: scale, center: center, count: size)
    let attributes: [(Int, NCNNWriter.Attribute)] = [
      (0, .integer(size)), (1, .float(epsilon)), (2, .integer(content.isEmpty ? 0 : 1)),
    ]
    let input = writer.blob(node.inputs[0])
    if dimension == shape.count - 1 {
      return try writer.emit(type, node, [input], value, attributes, content)
    }
    guard shape.count == 4, dimension == 1 else {
      throw writer.refusal(node, "ncnn normalises over the last dimension")
    }
    // Channels last, and back.
    let turned = try writer.step("Permute", node, [input], [(0, .integer(3))])
    let normalized = try writer.step(type, node, [turned], attributes, content)
    try writer.emit("Permute", node, [normalized], value, [(0, .integer(4))])
  }
}
