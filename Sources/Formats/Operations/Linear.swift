import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Linear: WeightedOperation {
  static let kerasKinds: [String: ExternalLayer.Kind] = ["dense": .dense]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .dense }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    let inputs = (shape.last ?? nil) ?? 1
    return ("Linear(\(inputs), \(outFeatures)\(bias ? "" : ", bias=False"))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.linear(bias, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.linear(inputs[0], outFeatures: outFeatures, bias: bias, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    return expression.called(x) ?? "F.linear(\(x), \(expression.parameters()))"
  }
}

extension Linear: ONNXReadOperation {
  static let onnxOperators = [
    "Gemm": [
      ONNXWeight(input: 1, suffix: "weight", layout: .matrix),
      ONNXWeight(input: 2, suffix: "bias", layout: .vector),
    ]
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.gemm()
  }
}

extension Linear: KerasLayerOperation {
  static let kerasLayers = ["Dense", "EinsumDense"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.dense(layer.className == "EinsumDense" ? try layer.asDense(x.rank) : layer, x)
  }
}

extension Linear: NCNNReadOperation {
  static let ncnnLayers = ["InnerProduct"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    try layer.requireFloats()
    let outFeatures = try layer.size(0)
    let inputs = try layer.quotient(try layer.size(2), by: [outFeatures])
    return [NCNNWeight(suffix: "weight", shape: [outFeatures, inputs], isMarked: true)]
      + (try layer.size(1) == 0 ? [] : layer.vectors(["bias"], outFeatures))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.linear(layer)
  }
}

extension ONNXReader {
  mutating func gemm() throws(InterchangeError) -> ONNXOperand {
    var input = try value(0)
    guard rank(input) == 2 else {
      throw unsupported("a matrix is needed; the value has shape \(shapes[input][0])")
    }
    let (alpha, beta) = (node.number("alpha") ?? 1, node.number("beta") ?? 1)
    guard beta == 1 || node.input(2) == nil else { throw unsupported("beta \(beta)") }
    if node.integer("transA") ?? 0 != 0 { input = try permuted(input, [1, 0]) }
    input = try scaled(input, [alpha])
    if case .value(var other) = try given(1) {
      if node.integer("transB") ?? 0 != 0 { other = try permuted(other, [1, 0]) }
      let product = try add(.matmul, [input, other])
      guard node.input(2) != nil else { return .value(product) }
      return .value(try add(.binary(.add), [product, try value(2)]))
    }
    guard let weight = try parameter(1), weight.shape.count == 2 else {
      throw unsupported("the second factor must be a matrix")
    }
    try checkFeatures(of: input, weight.shape)
    let bias = try parameter(2)
    return .value(
      try add(
        .linear(Linear(outFeatures: weight.shape[0], bias: bias != nil)), [input],
        name: layer(weight.name),
        parameters: [weight.name] + (bias.map { [$0.name] } ?? [])))
  }

  /// Refuses other features than a weight is for: of images of another size than the network was made
  /// for there are not as many.
  func checkFeatures(of input: Int, _ weight: [Int]) throws(InterchangeError) {
    if let found = shapes[input].lazy.compactMap(\.last).first(where: { $0 != weight[1] }) {
      throw unsupported("expected \(weight[1]) features, found \(found)")
    }
  }

  /// The addition behind a product of matrices as that layer's bias; nil for another addition.
  mutating func biased(_ value: Int, _ input: Int) throws(InterchangeError) -> Int? {
    let slot = ONNXParameters.Slot(node: position, input: input)
    guard node.kind == "Add", model.parameters.names[slot] != nil, let bias = try parameter(input),
      let source = source(value), case .linear(let linear) = source.op,
      !linear.bias, bias.shape == [linear.outFeatures]
    else { return nil }
    return try add(
      .linear(Linear(outFeatures: linear.outFeatures, bias: true)), source.inputs,
      name: "\(source.name).biased",
      parameters: source.parameters + [bias.name])
  }
}

extension ONNXWriter {
  mutating func linear(
    _ bias: Bool, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let input = name(node.inputs[0])
    var parameters: [String] = []
    for parameter in node.parameters { parameters.append(try self.parameter(parameter)) }
    if shapes[node.inputs[0]].count == 2 {
      return emit("Gemm", node, [input] + parameters, value, [("transB", .integer(1))])
    }
    // The weights stay as they are; a runtime turns them once.
    let turned = step("Transpose", node, [parameters[0]], [("perm", .integers([1, 0]))])
    guard bias else { return emit("MatMul", node, [input, turned], value) }
    emit("Add", node, [step("MatMul", node, [input, turned]), parameters[1]], value)
  }
}

extension KerasLayer {
  /// A layer whose equation says what Dense computes, as one: `abcd,de->abce`.
  fileprivate func asDense(_ rank: Int) throws(InterchangeError) -> KerasLayer {
    let text = option(["equation"])?.string ?? ""
    let bias = option(["bias_axes"])?.string
    guard let equation = EinsumEquation(text, ranks: [rank, 2]),
      let summed = equation.inputs[1].first, let units = equation.inputs[1].last,
      equation.inputs[0].last == summed,
      equation.output == Array(equation.inputs[0].dropLast()) + [units],
      bias == nil || bias == String(units),
      let count = option(["output_shape"])?.array?.last ?? option(["output_shape"])
    else { throw refusal("the equation '\(text)' is read where it says what Dense computes") }
    var layer = self
    let members: [String: JSON] = ["units": count, "use_bias": .bool(bias != nil)]
    layer.config = .object((config.object ?? [:]).merging(members) { $1 })
    return layer
  }
}

extension KerasImport {
  /// A product over Keras's last axis: of an image, a convolution by one pixel.
  mutating func dense(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let outFeatures = try layer.integer(["units", "output_dim"], in: Self.channels)
    let bias = try hasBias(layer)
    guard x.rank >= 2 else { throw layer.refusal("expected 2 or more axes, found \(x.rank)") }
    if x.rank == 4, x.axes[3] == 1 {
      let count = x.shape[1]
      var names = [
        try bind(
          layer, "weight", [outFeatures, count, 1, 1],
          steps: [.reshaped(from: [outFeatures, count], to: [outFeatures, count, 1, 1])])
      ]
      if bias { names.append(try bind(layer, "bias", [outFeatures])) }
      return try activated(
        try add(
          .convolution(Convolution(outChannels: outFeatures, kernel: 1, bias: bias)), [x],
          name: layer.fullName, of: layer, parameters: names), layer)
    }
    var x = x
    let count = x.shape[x.axes[x.rank - 1]]
    var steps: [TensorStep] = []
    if let flattened = x.flattened, !isBoundAsStored("\(layer.fullName).weight") {
      // The file's weights turned once, and not the row with every image. The file must have
      // weights of this size before as many numbers are made.
      let stored = file.tensors[try position(of: ["weight"], layer)].shape
      if stored == [outFeatures, count] {
        steps = [.reordered(dimension: 1, indices: flattened.kerasPlaces)]
        x.flattened = nil
      }
    }
    if x.flattened != nil || x.axes[x.rank - 1] != x.rank - 1 {
      x = try arranged(x, as: Array(0..<x.rank), layer.fullName)
    }
    var names = [try bind(layer, "weight", [outFeatures, count], steps: steps)]
    if bias { names.append(try bind(layer, "bias", [outFeatures])) }
    return try activated(
      try add(
        .linear(Linear(outFeatures: outFeatures, bias: bias)), [x], name: layer.fullName, of: layer,
        parameters: names), layer)
  }

  /// Whether an earlier use of a layer took its weights as the file has them.
  private func isBoundAsStored(_ parameter: String) -> Bool {
    if case .file(_, let steps)? = bindings[parameter]?.source { return steps.isEmpty }
    return false
  }
}

extension KerasBuilder {
  mutating func linear(
    _ x: PlacedValue, outFeatures: Int, bias: Bool, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let input = try ending(x, dimensions: 1, node.name)
    let inputs = (input.place.shape.last ?? nil) ?? 1
    var variables = [
      KerasModel.Variable(
        name: "kernel", shape: [inputs, outFeatures],
        content: .parameter(node.parameters[0], [.permuted([1, 0])]))
    ]
    if bias {
      variables.append(
        KerasModel.Variable(
          name: "bias", shape: [outFeatures], content: .parameter(node.parameters[1], [])))
    }
    return add(
      "Dense", node.name, ["units": .int(outFeatures), "use_bias": .bool(bias)], [input],
      shape: input.place.shape.dropLast() + [outFeatures], variables: variables)
  }
}

extension NCNNImporter {
  mutating func linear(_ layer: NCNNLayer) throws(InterchangeError) {
    var value = try values(of: layer)[0]
    let outFeatures = try layer.integer(0, in: 1...GraphLimits.channels)
    let inputs = tensors["\(layer.name).weight"]?.shape.last ?? 0
    // All of a blob at once, unless it is a matrix of rows that fit.
    let shape = shape(value)
    if shape.count > 2, shape.count > 3 || shape[2] != inputs {
      value = try add(.reshape(Reshape([0, -1])), layer, [value])
    }
    let bias = try layer.integer(1, in: 0...1) == 1
    value = try add(
      .linear(Linear(outFeatures: outFeatures, bias: bias)), layer, [value],
      parameters: bias ? ["weight", "bias"] : ["weight"])
    try give(layer, .value(try fused(layer, value)))
  }
}

extension Linear: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let shape = writer.shapes[node.inputs[0]]
    guard shape.count < 4 else {
      throw writer.refusal(node, "ncnn takes all of an image as one row")
    }
    try writer.emit(
      "InnerProduct", node, [writer.blob(node.inputs[0])], value,
      [
        (0, .integer(outFeatures)), (1, .integer(bias ? 1 : 0)),
        (2, .integer(outFeatures * (shape.last ?? 1))),
      ], writer.weightAndBias(node))
  }
}
