import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Reduction: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.reduce(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.reduction(inputs[0], self, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let name =
      switch kind {
      case .mean: "mean"
      case .sum: "sum"
      case .maximum: "amax"
      }
    let keeps = keepsDimensions ? ", keepdim=True" : ""
    return "\(expression.object(inputs[0])).\(name)(\(PythonText.tuple(dimensions))\(keeps))"
  }
}

extension Reduction: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "ReduceMean": [], "ReduceSum": [], "ReduceMax": [], "GlobalMaxPool": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    if reader.node.kind == "GlobalMaxPool" {
      return try reader.one(.reduce(Reduction(.maximum, dimensions: [2, 3])))
    }
    return try reader.reduction()
  }
}

extension Reduction: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["GlobalMaxPooling2D"]
  static let kerasFunctions = ["mean", "reducemean"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.globalPool(layer, x)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.mean(
      function.x, function.layer, function.option("axis"), function.option("keepdims"))
  }
}

extension ONNXReader {
  mutating func reduction() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    var dimensions: [Int] = []
    for axis in try integers(1, "axes") ?? [] { dimensions.append(try self.axis(axis, rank: rank)) }
    if dimensions.isEmpty {
      if node.integer("noop_with_empty_axes") ?? 0 != 0 { return .value(input) }
      dimensions = Array(0..<rank)
    }
    let kind: Reduction.Kind =
      switch node.kind {
      case "ReduceMean": .mean
      case "ReduceSum": .sum
      default: .maximum
      }
    let keeps = node.integer("keepdims") ?? 1 != 0
    // The mean of whole channels has an operation of its own, which runs everywhere.
    if kind == .mean, keeps, rank == 4, dimensions.sorted() == [2, 3] {
      return .value(try add(.globalAveragePool, [input]))
    }
    return .value(
      try add(
        .reduce(Reduction(kind, dimensions: dimensions.sorted(), keepsDimensions: keeps)), [input]))
  }
}

extension ONNXWriter {
  mutating func reduce(_ reduction: Reduction, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    let keeps: (String, ONNXModelBuilder.Attribute) = (
      "keepdims", .integer(reduction.keepsDimensions ? 1 : 0)
    )
    let axes: (String, ONNXModelBuilder.Attribute) = ("axes", .integers(reduction.dimensions))
    switch reduction.kind {
    case .mean: emit("ReduceMean", node, [input], value, [axes, keeps])
    case .maximum: emit("ReduceMax", node, [input], value, [axes, keeps])
    // The sum alone takes its axes as an input in version 17.
    case .sum:
      emit(
        "ReduceSum", node, [input, integers(node, "axes", reduction.dimensions)], value, [keeps])
    }
  }
}

extension KerasImport {
  /// A mean over some of Keras's axes.
  mutating func mean(
    _ x: KerasTensor, _ layer: KerasLayer, _ axes: JSON?, _ keeps: JSON?
  ) throws(InterchangeError) -> KerasTensor {
    var dimensions: [Int] = []
    let x = try unflattened(x, layer.fullName)
    for number in axes?.array ?? axes.map({ [$0] }) ?? [] {
      guard let number = number.int else { throw layer.refusal("axis: whole numbers expected") }
      dimensions.append(x.axes[try axis(number, of: x, layer)])
    }
    guard !dimensions.isEmpty, Set(dimensions).count == dimensions.count, !dimensions.contains(0)
    else { throw layer.refusal("axis: different axes, not that of pictures, expected") }
    var result = try add(
      .reduce(Reduction(.mean, dimensions: dimensions.sorted())), [x], name: layer.fullName,
      of: layer)
    result.isSized = x.isSized && !(dimensions.contains(2) && dimensions.contains(3))
    if keeps?.bool ?? (keeps?.int == 1) { return result }
    let kept = x.axes.filter { !dimensions.contains($0) }
    // What is left, in Keras's order.
    let plain = try arranged(result, as: Array(0..<x.rank), layer.fullName)
    let shape = kept.map { x.shape[$0] }
    guard shape.count >= 2, !result.isSized else {
      throw layer.refusal("a mean over rows and columns, or with keepdims, expected")
    }
    var row = add(
      .reshape(Reshape([0] + shape.dropFirst())), [plain], shape: shape,
      name: "\(layer.fullName).row")
    row.axes = Array(shape.indices)
    return row
  }
}

extension KerasBuilder {
  mutating func reduction(
    _ x: PlacedValue, _ reduction: Reduction, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard x.order.count == 4, Set(reduction.dimensions) == [2, 3], reduction.kind != .sum else {
      throw refusal(name, "Keras's layers reduce pictures to one pixel, by mean or maximum")
    }
    let picture = try arranged(x, .picture, name)
    let keeps = reduction.keepsDimensions
    let channels = picture.place.shape[3]
    return add(
      reduction.kind == .mean ? "GlobalAveragePooling2D" : "GlobalMaxPooling2D", name,
      ["keepdims": .bool(keeps)], [picture],
      shape: keeps ? [nil, 1, 1, channels] : [nil, channels], order: keeps ? .picture : [0, 1])
  }
}
