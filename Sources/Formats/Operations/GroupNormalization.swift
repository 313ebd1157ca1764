import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension GroupNormalization: WeightedOperation {
  // Its weights are told by shapes and names.
  static let kerasKinds: [String: ExternalLayer.Kind] = [:]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .other }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    guard scale, center, shape.count > 1, let channels = shape[1] else { return nil }
    return ("GroupNorm(\(groups), \(channels), eps=\(epsilon))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.groupNormalization(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    builder.groupNormalization(inputs[0], self, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    if let call = expression.called(inputs[0]) { return call }
    var list = expression.parameterList()[...]
    let weight = scale ? list.removeFirst() : "None"
    let bias = center ? list.removeFirst() : "None"
    return "F.group_norm(\(inputs[0]), \(groups), \(weight), \(bias), eps=\(epsilon))"
  }
}

extension GroupNormalization: ONNXReadOperation {
  static let onnxOperators = ["GroupNormalization": ONNXWeight.weightAndBias]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.groupNormalization()
  }
}

extension GroupNormalization: KerasLayerOperation {
  static let kerasLayers = ["GroupNormalization"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.groupNormalization(layer, x)
  }
}

extension GroupNormalization: NCNNReadOperation {
  static let ncnnLayers = ["GroupNorm"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    try layer.size(3, default: 1) == 0 ? [] : layer.vectors(["weight", "bias"], layer.size(1))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let hasWeights = try layer.integer(3, default: 1, in: 0...1) == 1
    let normalization = GroupNormalization(
      groups: try layer.integer(0, default: 1, in: 1...GraphLimits.channels),
      epsilon: try layer.epsilon(2), scale: hasWeights, center: hasWeights)
    let value = try importer.add(
      normalization.op, layer, try importer.values(of: layer),
      parameters: hasWeights ? ["weight", "bias"] : [])
    try importer.give(layer, .value(value))
  }
}

extension NCNNLayer {
  /// What a normalisation adds to the variance.
  func epsilon(_ number: Int) throws(InterchangeError) -> Double {
    let epsilon = self.number(number, default: 1e-3)
    guard epsilon > 0, epsilon.isFinite else {
      throw unsupported("an epsilon of \(epsilon), where one above 0 is needed")
    }
    return epsilon
  }
}

extension ONNXReader {
  fileprivate mutating func groupNormalization() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let weight = try parameter(1), let bias = try parameter(2) else {
      throw unsupported("expected a weight and a bias")
    }
    let groups = node.integer("num_groups") ?? 0
    // Before version 21 of the operators there was one weight for each group, and not each channel.
    guard rank(input) >= 2, weight.shape == [shapes[input][0][1]], bias.shape == weight.shape else {
      throw unsupported(
        "a weight for each channel is needed (version 21 of ONNX's operators); this one has shape "
          + "\(weight.shape)")
    }
    let normalization = GroupNormalization(
      groups: groups, epsilon: node.number("epsilon") ?? 1e-5)
    return .value(
      try add(
        normalization.op, [input], name: layer(weight.name), parameters: [weight.name, bias.name]))
  }

  /// What exporters write for a group normalisation before version 21: groups as channels, an instance
  /// normalisation of those with weights of 1 and biases of 0, and the first shape again; nil for any
  /// other reshaping.
  ///
  /// - Parameters:
  ///   - input: the value that is reshaped.
  ///   - rows: the shapes that are asked for, for each image.
  mutating func regrouped(_ input: Int, _ rows: [[Int]]) throws(InterchangeError) -> Int? {
    guard let instance = source(input),
      let normalization = instance.op.expansion as? InstanceNormalization,
      instance.parameters.count == 2, let grouping = source(instance.inputs[0]),
      case .reshape(let reshape) = grouping.op, reshape.dimensions.count == 3, rank(input) == 3
    else { return nil }
    let original = grouping.inputs[0]
    guard rank(original) == 4,
      zip(rows, shapes[original]).allSatisfy({ row, shape in
        row.count == 4 && zip(row, shape).allSatisfy { $0 == $1 || $0 == -1 }
      }),
      try isFilled(instance.parameters[0], with: 1), try isFilled(instance.parameters[1], with: 0)
    else { return nil }
    let group = GroupNormalization(
      groups: shapes[input][0][1], epsilon: normalization.epsilon, scale: false, center: false)
    return try add(group.op, [original])
  }

  /// The factors or summands behind a group normalisation as its weight or bias; nil for others.
  mutating func grouped(_ value: Int, _ input: Int) throws(InterchangeError) -> Int? {
    let slot = ONNXParameters.Slot(node: position, input: input)
    guard model.parameters.names[slot] != nil, let source = source(value),
      case .groupNormalization(var group) = source.op, !group.center,
      node.kind == "Add" || node.kind == "Mul" && !group.scale,
      let parameter = try parameter(input), let stored = try numbers(input)?.shape
    else { return nil }
    // One for each channel, and not for each column.
    let places = [Int](repeating: 1, count: max(rank(value) - stored.count, 0)) + stored
    guard places.count == rank(value), places[1] == shapes[value][0][1],
      parameter.shape == [places[1]]
    else { return nil }
    if node.kind == "Add" { group.center = true } else { group.scale = true }
    return try add(
      group.op, source.inputs, name: layer(parameter.name) ?? "\(source.name).affine",
      parameters: source.parameters + [parameter.name])
  }

  /// Whether a weight is one number over and over.
  private func isFilled(_ weight: String, with number: Float) throws(InterchangeError) -> Bool {
    do {
      let tensor = try made[weight] ?? file.tensors.tensor(weight)
      return tensor?.floats.allSatisfy { $0 == number } ?? false
    } catch {
      throw .description(part: "the constant \(weight)", problem: "\(error)")
    }
  }
}

extension ONNXWriter {
  /// Groups as the channels of an instance normalisation: an operator of its own is younger than
  /// version 17.
  fileprivate mutating func groupNormalization(
    _ g: GroupNormalization, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let input = name(node.inputs[0])
    let rank = shapes[node.inputs[0]].count
    let grouped = step(
      "Reshape", node, [input, integers(node, "groups", [0, g.groups, -1])])
    let normalized = step(
      "InstanceNormalization", node,
      [
        grouped, filled(node, "ones", 1, count: g.groups),
        filled(node, "zeros", 0, count: g.groups),
      ], [("epsilon", .float(g.epsilon))])
    let shape = step("Shape", node, [input])
    var left = node.parameters[...]
    var operators: [(kind: String, parameter: String)] = []
    if g.scale, let weight = left.popFirst() { operators.append(("Mul", weight)) }
    if g.center, let bias = left.popFirst() { operators.append(("Add", bias)) }
    guard let last = operators.popLast() else {
      return emit("Reshape", node, [normalized, shape], value)
    }
    var current = step("Reshape", node, [normalized, shape])
    let channels = shapes[node.inputs[0]][1]
    let ones = [Int](repeating: 1, count: max(rank - 2, 0))
    let steps: [TensorStep] =
      ones.isEmpty ? [] : [.reshaped(from: [channels], to: [channels] + ones)]
    for (kind, parameter) in operators {
      current = step(kind, node, [current, try self.parameter(parameter, steps)])
    }
    emit(last.kind, node, [current, try parameter(last.parameter, steps)], value)
  }
}

extension KerasImport {
  /// Normalisation of groups of channels, or of every channel by itself where there are -1 groups.
  fileprivate mutating func groupNormalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let axis = try axis(layer, x)
    let x = try withChannels(axis, x, layer)
    let channels = x.shape[1]
    let stated = try layer.integer(["groups"], in: -1...GraphLimits.channels, default: 32)
    let groups = stated == -1 ? channels : stated
    guard groups > 0, channels.isMultiple(of: groups) else {
      throw layer.refusal("groups: \(channels) channels cannot be divided into \(stated) groups")
    }
    let epsilon = try layer.number(["epsilon"], default: 1e-3)
    guard epsilon > 0 else { throw layer.refusal("epsilon: expected a number above 0") }
    let normalization = GroupNormalization(
      groups: groups, epsilon: epsilon, scale: try layer.flag(["scale"], default: true),
      center: try layer.flag(["center"], default: true))
    var names: [String] = []
    if normalization.scale {
      names.append(try bind(layer, "weight", [channels], from: ["weight", "gamma", "0"]))
    }
    if normalization.center {
      names.append(
        try bind(
          layer, "bias", [channels], from: ["bias", "beta", normalization.scale ? "1" : "0"]))
    }
    return try add(
      normalization.op, [x], name: layer.fullName, of: layer, parameters: names)
  }
}

extension KerasBuilder {
  /// Keras's layer, which also is its instance normalisation.
  mutating func groupNormalization(
    _ x: PlacedValue, _ g: GroupNormalization, _ node: Graph.Node
  ) -> PlacedValue {
    let axis = x.axis(of: 1)
    let names = (g.scale ? ["gamma"] : []) + (g.center ? ["beta"] : [])
    let channels = x.place.shape[axis] ?? 1
    return add(
      "GroupNormalization", node.name,
      [
        "groups": .int(g.groups), "axis": .int(axis), "epsilon": .number(g.epsilon),
        "center": .bool(g.center), "scale": .bool(g.scale),
      ], [x],
      variables: zip(names, node.parameters).map {
        KerasModel.Variable(name: $0, shape: [channels], content: .parameter($1, []))
      })
  }
}

extension GroupNormalization: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let channels = writer.shapes[value][1]
    let content = try writer.affine(node, scale: scale, center: center, count: channels)
    try writer.emit(
      "GroupNorm", node, [writer.blob(node.inputs[0])], value,
      [
        (0, .integer(groups)), (1, .integer(channels)), (2, .float(epsilon)),
        (3, .integer(content.isEmpty ? 0 : 1)),
      ], content)
  }
}
