import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension LayerNormalization: WeightedOperation {
  // Its weights are told by shapes and names.
  static let kerasKinds: [String: ExternalLayer.Kind] = [:]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .other }

  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? {
    let sizes = shape.suffix(dimensions).compactMap { $0 }
    guard sizes.count == dimensions else { return nil }
    return ("LayerNorm(\(PythonText.tuple(sizes)), eps=\(epsilon))", .none)
  }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let weight = try writer.parameter(node.parameters[0])
    let bias = try writer.parameter(node.parameters[1])
    writer.emit(
      "LayerNormalization", node, [writer.name(node.inputs[0]), weight, bias], value,
      [("axis", .integer(-dimensions)), ("epsilon", .float(epsilon))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.layerNormalization(inputs[0], dimensions, epsilon, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    let sizes = "\(expression.object(x)).shape[-\(dimensions):]"
    return expression.called(x)
      ?? "F.layer_norm(\(x), \(sizes), \(expression.parameters()), eps=\(epsilon))"
  }
}

extension LayerNormalization: ONNXReadOperation {
  static let onnxOperators = ["LayerNormalization": ONNXWeight.weightAndBias]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.layerNormalization()
  }
}

extension LayerNormalization: KerasLayerOperation {
  static let kerasLayers = ["LayerNormalization"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.layerNormalization(layer, x)
  }
}

extension ONNXReader {
  mutating func layerNormalization() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    let dimensions = rank - (try axis(node.integer("axis") ?? -1, rank: rank))
    guard let weight = try parameter(1) else { throw unsupported("a weight expected") }
    var bias = try parameter(2)?.name
    if bias == nil {
      let name = "\(layer(weight.name) ?? weight.name).bias"
      made[name] = try? Tensor(zeros: weight.shape)
      bias = name
    }
    return .value(
      try add(
        .layerNormalization(
          LayerNormalization(dimensions: dimensions, epsilon: node.number("epsilon") ?? 1e-5)),
        [input], name: layer(weight.name), parameters: [weight.name] + [bias].compactMap { $0 }))
  }
}

extension KerasImport {
  /// Normalisation over the last axis, which lies last for it.
  mutating func layerNormalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let axis = try axis(layer, x)
    guard axis == x.rank - 1, x.rank > 1 else {
      throw layer.refusal("axis \(axis): the last, \(x.rank - 1), expected")
    }
    guard try !layer.flag(["rms_scaling"], default: false) else {
      throw layer.refusal("rms_scaling is not supported")
    }
    let epsilon = try layer.number(["epsilon"], default: 1e-3)
    guard epsilon > 0 else { throw layer.refusal("epsilon: a number above 0 expected") }
    let x = try arranged(x, as: Array(0..<x.rank), layer.fullName)
    let shape = [x.shape[axis]]
    let hasScale = try layer.flag(["scale"], default: true)
    let hasCenter = try layer.flag(["center"], default: true)
    // Our operation has both; where Keras has none, they change nothing.
    let weight =
      hasScale
      ? try bind(layer, "weight", shape, from: ["weight", "gamma", "0"])
      : try bind(layer, "weight", made: try tensor(shape, filledWith: 1, layer))
    let bias =
      hasCenter
      ? try bind(layer, "bias", shape, from: ["bias", "beta", hasScale ? "1" : "0"])
      : try bind(layer, "bias", made: try tensor(shape, filledWith: 0, layer))
    return try add(
      .layerNormalization(LayerNormalization(dimensions: 1, epsilon: epsilon)), [x],
      name: layer.fullName, of: layer,
      parameters: [weight, bias])
  }

  func tensor(
    _ shape: [Int], filledWith value: Float, _ layer: KerasLayer
  ) throws(InterchangeError) -> Tensor {
    do throws(TensorError) {
      return try Tensor(shape: shape, Array(repeating: value, count: shape[0]))
    } catch {
      throw layer.refusal("\(error)")
    }
  }
}

extension KerasBuilder {
  mutating func layerNormalization(
    _ x: PlacedValue, _ dimensions: Int, _ epsilon: Double, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    var input = try ending(x, dimensions: dimensions, node.name)
    let shape = input.place.shape
    let sizes = shape.suffix(dimensions).map { $0 ?? 1 }
    let count = sizes.reduce(1, *)
    // As one dimension: Keras 3 keeps only the first of several from a file of Keras 2.
    if dimensions > 1 {
      input = try reshaped(input, shape.dropFirst().dropLast(dimensions) + [count], node.name)
    }
    let steps: [TensorStep] = dimensions > 1 ? [.reshaped(from: sizes, to: [count])] : []
    let result = add(
      "LayerNormalization", node.name, ["axis": -1, "epsilon": .number(epsilon)], [input],
      variables: zip(["gamma", "beta"], node.parameters).map {
        KerasModel.Variable(name: $0, shape: [count], content: .parameter($1, steps))
      })
    if dimensions == 1 { return result }
    var back = try reshaped(result, shape.dropFirst(), node.name)
    back.order =
      x.order.suffix(dimensions).elementsEqual(x.order.indices.suffix(dimensions))
      ? x.order : Array(x.order.indices)
    return back
  }
}
