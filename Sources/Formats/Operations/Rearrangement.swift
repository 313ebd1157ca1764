import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Reshape: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let target = shape.map { writer.integers(node, "shape", $0) } ?? writer.sizes(node, dimensions)
    writer.emit("Reshape", node, [writer.name(node.inputs[0]), target], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.reshape(inputs[0], dimensions[0], node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    let sizes = dimensions.enumerated().map { position, dimension in
      switch dimension {
      case .size(let size): "\(size)"
      case .rest: "-1"
      case .kept: "\(x).shape[\(position)]"
      case .input(let source, let ratio): ratio.python("\(x).shape[\(source)]")
      case .other(let source, let ratio): ratio.python("\(inputs[1]).shape[\(source)]")
      }
    }
    return "\(x).reshape(\(sizes.joined(separator: ", ")))"
  }

  var repeatsOperand: Bool { true }
}

extension Reshape: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "Reshape": [], "Flatten": [], "Squeeze": [], "Unsqueeze": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.reshape()
  }
}

extension Reshape: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Flatten", "Reshape"]
  static let kerasFunctions = ["reshape"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    if layer.className == "Flatten" { return try importer.flattened(x, layer) }
    guard let target = layer.option(["target_shape"])?.array?.compactMap(\.int),
      target.count == layer.option(["target_shape"])?.array?.count
    else { throw layer.refusal("target_shape: expected whole numbers") }
    return try importer.reshaped(x, to: target, layer)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    guard
      let target = (function.option("newshape", "shape") ?? function.arguments.first)?.array?
        .compactMap(\.int),
      target.count > 1, target[0] == -1 || target[0] == 1
    else { throw function.layer.refusal("expected a shape that begins with -1") }
    return try importer.reshaped(function.x, to: Array(target.dropFirst()), function.layer)
  }
}

extension Reshape: NCNNReadOperation {
  static let ncnnLayers = ["Reshape", "Flatten"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.reshape(layer)
  }
}

extension Permute: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "Transpose", node, [writer.name(node.inputs[0])], value, [("perm", .integers(order))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    // Only what Keras's dimensions mean changes; layers that care move them.
    let x = inputs[0]
    return PlacedValue(place: x.place, order: x.order.map { order.firstIndex(of: $0) ?? 0 })
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let dimensions = order.map(String.init).joined(separator: ", ")
    return "\(expression.object(inputs[0])).permute(\(dimensions))"
  }
}

extension Permute: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Transpose": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.transpose()
  }
}

extension Permute: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Permute"]
  static let kerasFunctions = ["transpose"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.permuted(layer, x)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let axes = (function.option("axes", "perm") ?? function.arguments.first)?.array
    return try importer.transposed(function.x, axes?.compactMap(\.int) ?? [], function.layer)
  }
}

extension Permute: NCNNReadOperation {
  static let ncnnLayers = ["Permute"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let value = try importer.values(of: layer)[0]
    let orders = ncnnOrders(importer.shape(value).count)
    guard !orders.isEmpty else {
      throw layer.unsupported("a permutation of \(importer.shape(value).count - 1) dimensions")
    }
    let order = orders[try layer.integer(0, in: 0...(orders.count - 1))]
    try importer.give(
      layer, .value(try importer.add(.permute(Permute(order)), layer, [value])))
  }
}

extension Roll: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.roll(shifts, dimensions, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer moves elements round")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let arguments = "\(PythonText.tuple(shifts)), \(PythonText.tuple(dimensions))"
    return "\(expression.object(inputs[0])).roll(\(arguments))"
  }
}

extension Ratio {
  /// A whole number of Python's times the ratio.
  func python(_ number: String) -> String {
    (numerator == 1 ? number : "\(number) * \(numerator)")
      + (denominator == 1 ? "" : " // \(denominator)")
  }
}

extension KerasImport {
  /// Axes in another order are the same value seen otherwise: nothing moves.
  mutating func permuted(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let order = layer.option(["dims"])?.array?.compactMap(\.int) ?? []
    guard order.sorted() == Array(1..<x.rank) else {
      throw layer.refusal("dims: expected each of 1 to \(x.rank - 1) once")
    }
    return try transposed(x, [0] + order, layer)
  }

  /// The value with Keras's axes in another order.
  mutating func transposed(
    _ value: KerasTensor, _ order: [Int], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard order.sorted() == Array(0..<value.rank), order[0] == 0 else {
      throw layer.refusal("axes \(order): expected an order that leaves axis 0 in its place")
    }
    var result = try unflattened(value, layer.fullName)
    result.axes = order.map { result.axes[$0] }
    return result
  }
}

extension KerasBuilder {
  mutating func reshape(
    _ x: PlacedValue, _ first: Reshape.Dimension, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let input = try arranged(x, Array(x.order.indices), node.name)
    let result = shapes.values[graph.inputs.count + position]
    let rest = result.dropFirst()
    let before = input.place.shape.dropFirst()
    // A first dimension that takes what is left is the number of images if all others are known.
    let keepsImages =
      first == .kept || first == .input(0, times: Ratio(1))
      || first == .rest && !rest.contains(nil) && !before.contains(nil)
        && rest.reduce(1) { $0 * ($1 ?? 1) } == before.reduce(1) { $0 * ($1 ?? 1) }
    guard keepsImages else {
      throw refusal(node.name, "no layer reshapes the dimension of the images")
    }
    return try reshaped(input, rest, node.name)
  }
}

extension NCNNImporter {
  mutating func reshape(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    guard layer.type == "Reshape" else {
      try give(layer, .value(try add(.reshape(Reshape([0, -1])), layer, [value])))
      return
    }
    guard !layer.has(11), layer.number(3) == 0, !layer.has(6) else {
      throw layer.unsupported("a volume, a permutation or an expression")
    }
    let range = -1...GraphLimits.dimension
    var target = [0]
    for number in [2, 1, 0] where layer.has(number) && layer.number(number) != -233 {
      target.append(try layer.integer(number, in: range))
    }
    // 0 keeps the side of the same place, which only a blob of as many dimensions has.
    guard target.count > 1, target.count(where: { $0 == -1 }) <= 1,
      !target.dropFirst().contains(0) || target.count == shape(value).count
    else { throw layer.unsupported("a shape of \(target.dropFirst())") }
    try give(layer, .value(try add(.reshape(Reshape(target)), layer, [value])))
  }
}

extension Reshape: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let (from, to) = (writer.shapes[node.inputs[0]], writer.shapes[value])
    guard from[0] == to[0] else {
      throw writer.refusal(node, "ncnn does not make more images of one, or fewer")
    }
    var sizes: [Int] = []
    for (position, dimension) in dimensions.enumerated().dropFirst() {
      if case .size(let size) = dimension {
        sizes.append(size)
      } else if let size = writer.fixedSize(value, position) {
        sizes.append(size)
      } else if dimension == .rest {
        sizes.append(-1)
      } else if dimension == .kept, from.count == to.count {
        // ncnn keeps the side of the same name.
        sizes.append(0)
      } else {
        throw writer.refusal(node, "ncnn does not reshape by sizes of the image")
      }
    }
    // What is left over is no more than one.
    guard sizes.count(where: { $0 == -1 }) <= 1 else {
      throw writer.refusal(node, "ncnn does not reshape by sizes of the image")
    }
    try writer.emit(
      "Reshape", node, [writer.blob(node.inputs[0])], value, NCNNWriter.sizes(sizes))
  }
}

extension Permute: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    guard let number = Self.ncnnOrders(order.count).firstIndex(of: order) else {
      throw writer.refusal(node, "ncnn has no such order of \(order.count - 1) dimensions")
    }
    try writer.emit(
      "Permute", node, [writer.blob(node.inputs[0])], value, [(0, .integer(number))])
  }

  /// The orders that ncnn numbers: of the dimensions besides that of the images.
  fileprivate static func ncnnOrders(_ rank: Int) -> [[Int]] {
    switch rank {
    case 3: [[0, 1, 2], [0, 2, 1]]
    case 4:
      [
        [0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1],
      ]
    default: []
    }
  }
}
