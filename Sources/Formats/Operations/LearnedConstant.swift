import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension LearnedConstant: WeightedOperation {
  // Told by its name alone.
  static let kerasKinds: [String: ExternalLayer.Kind] = [:]

  func layerKind(weight: [Int]) -> ExternalLayer.Kind { .other }

  /// A parameter of the module itself.
  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)? { nil }

  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit("Identity", node, [try writer.parameter(node.parameters[0])], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer gives a learned constant")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String { expression.parameters() }
}

extension ONNXReader {
  /// A constant of the file as a value of ours: what is no weight of a layer is one by itself.
  ///
  /// - Throws: `InterchangeError.layer` for integers, which are no values of ours.
  mutating func learnedConstant(
    _ tensor: ONNXTensor, _ constant: String
  ) throws(InterchangeError) -> Int {
    guard tensor.elementType.isFloatingPoint else {
      throw unsupported("the constant \(constant) has integers, where floating point is needed")
    }
    let loaded: Tensor
    do {
      loaded = try tensor.load().converted(to: .float32)
    } catch {
      throw .description(part: "the constant \(constant)", problem: "\(error)")
    }
    return try learnedConstant(loaded, constant)
  }

  /// Numbers that were calculated as a value of ours.
  ///
  /// - Throws: `InterchangeError.layer` for integers, and for numbers that depend on the image's size.
  mutating func learnedConstant(
    _ numbers: ONNXNumbers, _ constant: String
  ) throws(InterchangeError) -> Int {
    guard !numbers.isInteger else {
      throw unsupported("the constant \(constant) has integers, where floating point is needed")
    }
    return try learnedConstant(try tensor(numbers), constant)
  }

  private mutating func learnedConstant(
    _ tensor: Tensor, _ constant: String
  ) throws(InterchangeError) -> Int {
    if let known = learnedConstants[constant] { return known }
    // One number has a dimension, too.
    let shape = tensor.shape.isEmpty ? [1] : tensor.shape
    // A layer may have the same constant as a weight, in another layout.
    let path = ONNXParameters.path(constant)
    let listed = file.tensors[path]
    let isListed =
      listed?.storedName == constant && listed?.shape == shape && listed?.steps.isEmpty == true
    let name = isListed ? path : unusedName(path.isEmpty ? "constant" : path)
    do {
      made[name] = try tensor.reshaped(to: shape)
    } catch {
      throw .description(part: "the constant \(constant)", problem: "\(error)")
    }
    let value = try add(
      .learnedConstant(LearnedConstant(shape)), [], name: name, parameters: [name])
    learnedConstants[constant] = value
    return value
  }
}

extension LearnedConstant: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    // What is as long as what it is combined with needs no rule by which shapes are aligned.
    let ranks = Set(
      writer.graph.nodes.filter { $0.inputs.contains(value) }.flatMap { taker in
        taker.op.operation is Binary
          ? taker.inputs.filter { !writer.isConstant($0) }.map { writer.shapes[$0].count } : [0]
      })
    guard ranks.count == 1, let rank = ranks.first, (2...4).contains(rank), shape.count <= rank
    else {
      throw writer.refusal(node, "ncnn has constants as operands of arithmetic with an image alone")
    }
    let full = [Int](repeating: 1, count: rank - shape.count) + shape
    guard full[0] == 1 else {
      throw writer.refusal(node, "expected one constant for all images, found \(full[0])")
    }
    try writer.emit(
      "MemoryData", node, [], value, NCNNWriter.sizes(Array(full.dropFirst())),
      ["data": .parameter(node.parameters[0])])
  }
}
