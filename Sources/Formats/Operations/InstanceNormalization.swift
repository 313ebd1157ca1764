import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension InstanceNormalization: WeightedOperation {
  // Keras has it as a group normalisation.
  static let kerasKinds: [String: ExternalLayer.Kind] = [:]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .other }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    guard affine, shape.count == 4, let channels = shape[1] else { return nil }
    return ("InstanceNorm2d(\(channels), eps=\(epsilon), affine=True)", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let channels = writer.shapes[node.inputs[0]][1]
    let weight =
      affine
      ? try writer.parameter(node.parameters[0])
      : writer.filled(node, "weight", 1, count: channels)
    let bias =
      affine
      ? try writer.parameter(node.parameters[1])
      : writer.filled(node, "bias", 0, count: channels)
    writer.emit(
      "InstanceNormalization", node, [writer.name(node.inputs[0]), weight, bias], value,
      [("epsilon", .float(epsilon))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    let channels = inputs[0].place.shape[inputs[0].axis(of: 1)] ?? 1
    return builder.groupNormalization(
      inputs[0],
      GroupNormalization(groups: channels, epsilon: epsilon, scale: affine, center: affine), node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    if let call = expression.called(inputs[0]) { return call }
    let list = expression.parameterList()
    let weights = affine ? ", weight=\(list[0]), bias=\(list[1])" : ""
    return "F.instance_norm(\(inputs[0])\(weights), eps=\(epsilon))"
  }
}

extension InstanceNormalization: ONNXReadOperation {
  static let onnxOperators = ["InstanceNormalization": ONNXWeight.weightAndBias]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    let input = try reader.value(0)
    guard let weight = try reader.parameter(1), let bias = try reader.parameter(2) else {
      throw reader.unsupported("expected a weight and a bias")
    }
    let normalization = InstanceNormalization(epsilon: reader.node.number("epsilon") ?? 1e-5)
    return .value(
      try reader.add(
        normalization.op, [input], name: reader.layer(weight.name),
        parameters: [weight.name, bias.name]))
  }
}

extension InstanceNormalization: NCNNReadOperation {
  static let ncnnLayers = ["InstanceNorm"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    try layer.size(2, default: 1) == 0 ? [] : layer.vectors(["weight", "bias"], layer.size(0))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let affine = try layer.integer(2, default: 1, in: 0...1) == 1
    let normalization = InstanceNormalization(epsilon: try layer.epsilon(1), affine: affine)
    let value = try importer.add(
      normalization.op, layer, try importer.values(of: layer),
      parameters: affine ? ["weight", "bias"] : [])
    try importer.give(layer, .value(value))
  }
}

extension InstanceNormalization: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let channels = writer.shapes[value][1]
    try writer.emit(
      "InstanceNorm", node, [writer.blob(node.inputs[0])], value,
      [(0, .integer(channels)), (1, .float(epsilon)), (2, .integer(affine ? 1 : 0))],
      try writer.affine(node, scale: affine, center: affine, count: channels))
  }
}
