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
    let x = expression.object(inputs[0])
    let axes = PythonText.tuple(dimensions)
    let keeps = keepsDimensions ? ", keepdim=True" : ""
    switch kind {
    case .mean: return "\(x).mean(\(axes)\(keeps))"
    case .sum: return "\(x).sum(\(axes)\(keeps))"
    case .maximum: return "\(x).amax(\(axes)\(keeps))"
    case .minimum: return "\(x).amin(\(axes)\(keeps))"
    case .variance: return "\(x).var(\(axes), unbiased=False\(keeps))"
    case .unbiasedVariance: return "\(x).var(\(axes), unbiased=True\(keeps))"
    case .l1: return "\(x).abs().sum(\(axes)\(keeps))"
    case .l2: return "torch.linalg.vector_norm(\(inputs[0]), 2, \(axes)\(keeps))"
    case .sumOfSquares: return "\(x).square().sum(\(axes)\(keeps))"
    case .product:
      // PyTorch takes one dimension at a time: the last first, so that others keep their places.
      return dimensions.sorted(by: >).reduce(x) { $0 + ".prod(\($1)\(keeps))" }
    }
  }
}

extension Reduction: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "ReduceMean": [], "ReduceSum": [], "ReduceMax": [], "ReduceMin": [], "ReduceProd": [],
    "ReduceL1": [], "ReduceL2": [], "ReduceSumSquare": [], "GlobalMaxPool": [],
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
  static let kerasFunctions = [
    "mean", "reducemean", "sum", "reducesum", "max", "amax", "reducemax", "min", "amin",
    "reducemin", "prod", "reduceprod", "var", "reducevariance",
  ]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.globalPool(layer, x)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let word = function.word.hasPrefix("reduce") ? function.word.dropFirst(6) : function.word[...]
    let kind: Reduction.Kind =
      switch word {
      case "sum": .sum
      case "max", "amax": .maximum
      case "min", "amin": .minimum
      case "prod": .product
      case "var", "variance": .variance
      default: .mean
      }
    return try importer.reduction(
      kind, function.x, function.layer, function.option("axis") ?? function.arguments.first,
      function.option("keepdims"))
  }
}

extension Reduction: NCNNReadOperation {
  static let ncnnLayers = ["Reduction"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.reduction(layer)
  }
}

extension NCNNImporter {
  fileprivate mutating func reduction(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer)
    let rank = shape(values[0]).count
    let kinds: [Reduction.Kind?] = [
      .sum, .l1, .sumOfSquares, .mean, .maximum, .minimum, .product, .l1, .l2,
    ]
    let number = try layer.integer(0, in: 0...10)
    guard number < kinds.count, let kind = kinds[number] else {
      throw layer.unsupported("the logarithm of a sum")
    }
    var dimensions = Array(1..<rank)
    if try layer.integer(1, default: 1, in: 0...1) == 0 {
      // Older files count axes otherwise; ncnn asks for new ones itself.
      try layer.require(5, 1, default: 0, "axes as older files count them")
      dimensions = []
      let axes = layer.integers(3) ?? []
      for axis in axes {
        guard (-rank + 1..<rank - 1).contains(axis) else {
          throw layer.unsupported("axis \(axis) of \(rank - 1)")
        }
        dimensions.append(axis < 0 ? rank + axis : axis + 1)
      }
      guard !dimensions.isEmpty, Set(dimensions).count == dimensions.count else {
        throw layer.unsupported("expected different axes, found \(axes)")
      }
    }
    let reduction = Reduction(
      kind, dimensions: dimensions.sorted(),
      keepsDimensions: try layer.integer(4, in: 0...1) == 1)
    var value = try add(reduction.op, layer, values)
    let factor = layer.number(2, default: 1)
    guard factor.isFinite else { throw layer.unsupported("a factor of \(factor)") }
    if factor != 1 { value = try add(.scale(Scale([factor])), layer, [value]) }
    try give(layer, .value(value))
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
      case "ReduceMin": .minimum
      case "ReduceProd": .product
      case "ReduceL1": .l1
      case "ReduceL2": .l2
      case "ReduceSumSquare": .sumOfSquares
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
    let kind =
      switch reduction.kind {
      case .sum: "ReduceSum"
      case .mean, .variance, .unbiasedVariance: "ReduceMean"
      case .maximum: "ReduceMax"
      case .minimum: "ReduceMin"
      case .product: "ReduceProd"
      case .l1: "ReduceL1"
      case .l2: "ReduceL2"
      case .sumOfSquares: "ReduceSumSquare"
      }
    switch reduction.kind {
    // The sum alone takes its axes as an input in version 17.
    case .sum:
      emit(kind, node, [input, integers(node, "axes", reduction.dimensions)], value, [keeps])
    case .variance:
      emit(kind, node, [squaredDistances(input, node, axes)], value, [axes, keeps])
    case .unbiasedVariance:
      let sum = step(
        "ReduceSum", node,
        [squaredDistances(input, node, axes), integers(node, "axes", reduction.dimensions)], [keeps]
      )
      // How many elements there are follows from the image's size.
      let sizes = step(
        "Gather", node,
        [step("Shape", node, [input]), integers(node, "dimensions", reduction.dimensions)])
      let count = step(
        "Cast", node, [step("ReduceProd", node, [sizes], [("keepdims", .integer(0))])],
        [("to", .integer(1))])
      let one = floats(node, "one", [1], rank: 0)
      emit("Div", node, [sum, step("Sub", node, [count, one])], value)
    case .mean, .maximum, .minimum, .product, .l1, .l2, .sumOfSquares:
      emit(kind, node, [input], value, [axes, keeps])
    }
  }

  /// The squares of the distances from the mean.
  private mutating func squaredDistances(
    _ input: String, _ node: Graph.Node, _ axes: (String, ONNXModelBuilder.Attribute)
  ) -> String {
    let mean = step("ReduceMean", node, [input], [axes])
    let distance = step("Sub", node, [input, mean])
    return step("Mul", node, [distance, distance])
  }
}

extension KerasImport {
  /// A reduction over some of Keras's axes.
  fileprivate mutating func reduction(
    _ kind: Reduction.Kind, _ x: KerasTensor, _ layer: KerasLayer, _ axes: JSON?, _ keeps: JSON?
  ) throws(InterchangeError) -> KerasTensor {
    var dimensions: [Int] = []
    let x = try unflattened(x, layer.fullName)
    for number in axes?.array ?? axes.map({ [$0] }) ?? [] {
      guard let number = number.int else { throw layer.refusal("axis: expected whole numbers") }
      dimensions.append(x.axes[try axis(number, of: x, layer)])
    }
    guard !dimensions.isEmpty, Set(dimensions).count == dimensions.count, !dimensions.contains(0)
    else { throw layer.refusal("axis: expected different axes, not that of images") }
    var result = try add(
      .reduce(Reduction(kind, dimensions: dimensions.sorted())), [x], name: layer.fullName,
      of: layer)
    result.isSized = x.isSized && !(dimensions.contains(2) && dimensions.contains(3))
    if keeps?.bool ?? (keeps?.int == 1) { return result }
    let kept = x.axes.filter { !dimensions.contains($0) }
    // What is left, in Keras's order.
    let plain = try arranged(result, as: Array(0..<x.rank), layer.fullName)
    let shape = kept.map { x.shape[$0] }
    guard shape.count >= 2, !result.isSized else {
      throw layer.refusal("expected a reduction over rows and columns, or with keepdims")
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
    guard x.order.count == 4, Set(reduction.dimensions) == [2, 3],
      reduction.kind == .mean || reduction.kind == .maximum
    else {
      throw refusal(name, "Keras's layers reduce images to one pixel, by mean or maximum")
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

extension Reduction: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let number: Int
    switch kind {
    case .sum: number = 0
    case .sumOfSquares: number = 2
    case .mean, .variance: number = 3
    case .maximum: number = 4
    case .minimum: number = 5
    case .product: number = 6
    case .l1: number = 7
    case .l2: number = 8
    case .unbiasedVariance:
      throw writer.refusal(node, "ncnn does not divide by one less than the number of elements")
    }
    var input = writer.blob(node.inputs[0])
    func attributes(keeps: Bool) -> [(Int, NCNNWriter.Attribute)] {
      [
        (0, .integer(number)), (1, .integer(0)), (3, .integers(dimensions.map { $0 - 1 })),
        (4, .integer(keeps ? 1 : 0)), (5, .integer(1)),
      ]
    }
    if kind == .variance {
      let mean = try writer.step("Reduction", node, [input], attributes(keeps: true))
      let distance = try writer.step("BinaryOp", node, [input, mean], [(0, .integer(1))])
      input = try writer.step("UnaryOp", node, [distance], [(0, .integer(4))])
    }
    try writer.emit("Reduction", node, [input], value, attributes(keeps: keepsDimensions))
  }
}
