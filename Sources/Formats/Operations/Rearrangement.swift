import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Reshape: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let target = writer.integers(node, "shape", shape)
    writer.emit("Reshape", node, [writer.name(node.inputs[0]), target], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.reshape(inputs[0], shape, node)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    let sizes = shape.enumerated().map { $1 == 0 ? "\(x).shape[\($0)]" : "\($1)" }
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
    else { throw layer.refusal("target_shape: whole numbers expected") }
    return try importer.reshaped(x, to: target, layer)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    guard
      let target = (function.option("newshape", "shape") ?? function.arguments.first)?.array?
        .compactMap(\.int),
      target.count > 1, target[0] == -1 || target[0] == 1
    else { throw function.layer.refusal("a shape that begins with -1 expected") }
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

extension ONNXReader {
  mutating func reshape() throws(InterchangeError) -> ONNXOperand {
    if case .shuffle(let source, let move) = try given(0) { return try shuffled(source, move) }
    let input = try value(0)
    var rows = try targets(input)
    if let group = try regrouped(input, rows) { return .value(group) }
    if rows[0].count == 6, rank(input) == 4 { return .split(input, rows) }
    // What the file writes down of the example's size stands for the picture's.
    if samples.letsSizeGo, rows.count == shapes[input].count {
      for i in rows[0].indices where i < rank(input) && rows.allSatisfy({ $0[i] == rows[0][i] }) {
        guard shapes[input][0][i] == rows[0][i] else { continue }
        for sample in rows.indices { rows[sample][i] = shapes[input][sample][i] }
      }
    }
    let target = try target(rows, input)
    let isSame = target.count == rank(input) && target.allSatisfy { $0 == 0 }
    return .value(isSame ? input : try add(.reshape(Reshape(target)), [input]))
  }

  /// The dimensions that the node asks for, for each picture; at most one -1 in each.
  func targets(_ input: Int) throws(InterchangeError) -> [[Int]] {
    let shapes = shapes[input]
    let rank = rank(input)
    switch node.kind {
    case "Flatten":
      let dimension = node.integer("axis") ?? 1
      guard (-rank...rank).contains(dimension) else { throw unsupported("axis \(dimension)") }
      let split = dimension < 0 ? dimension + rank : dimension
      return shapes.map { [$0[..<split].reduce(1, *), $0[split...].reduce(1, *)] }
    case "Squeeze":
      var axes = Set<Int>()
      for axis in try integers(1, "axes") ?? [] { axes.insert(try self.axis(axis, rank: rank)) }
      if axes.isEmpty { axes = Set((0..<rank).filter { i in shapes.allSatisfy { $0[i] == 1 } }) }
      guard axes.allSatisfy({ i in shapes.allSatisfy { $0[i] == 1 } }) else {
        throw unsupported("dimensions of 1 expected")
      }
      return shapes.map { shape in (0..<rank).filter { !axes.contains($0) }.map { shape[$0] } }
    case "Unsqueeze":
      guard let axes = try integers(1, "axes"), rank + axes.count <= GraphLimits.rank else {
        throw unsupported("constant axes expected")
      }
      var places = Set<Int>()
      for axis in axes { places.insert(try self.axis(axis, rank: rank + axes.count)) }
      return shapes.map { shape in
        var left = shape[...]
        return (0..<rank + axes.count).map { places.contains($0) ? 1 : left.popFirst() ?? 1 }
      }
    default: break
    }
    guard
      let numbers = try node.input(1) == nil
        ? node.integers("shape").map({ ONNXNumbers($0.map(Double.init), isInteger: true) })
        : numbers(1), numbers.count <= GraphLimits.rank
    else { throw unsupported("a known shape expected") }
    var rows: [[Int]] = []
    for (sample, shape) in shapes.enumerated() {
      guard var row = numbers.row(sample).wholeNumbers else {
        throw unsupported("a shape expected")
      }
      for (i, size) in row.enumerated() where size == 0 {
        guard i < shape.count, node.integer("allowzero") ?? 0 == 0 else {
          throw unsupported("shape \(row)")
        }
        row[i] = shape[i]
      }
      guard row.allSatisfy({ $0 == -1 || $0 > 0 }), row.count(where: { $0 == -1 }) <= 1 else {
        throw unsupported("shape \(row)")
      }
      rows.append(row)
    }
    return rows
  }

  /// A shape for any picture, from those for some: 0 for a dimension that stays, -1 for what is left.
  func target(_ rows: [[Int]], _ input: Int) throws(InterchangeError) -> [Int] {
    var target: [Int] = []
    for i in rows[0].indices {
      let sizes = rows.map { $0[i] }
      let own = shapes[input].map { i < $0.count ? $0[i] : 0 }
      if sizes == own {
        target.append(0)
      } else if sizes.allSatisfy({ $0 == sizes[0] }) {
        target.append(sizes[0])
      } else {
        target.append(-1)
      }
    }
    // What stays need not be left over; one -1 at most can be told.
    guard target.count(where: { $0 == -1 }) <= 1 else {
      throw unsupported("a shape with several dimensions that depend on the picture's size")
    }
    return target
  }

  mutating func transpose() throws(InterchangeError) -> ONNXOperand {
    if case .split(let source, let rows) = try given(0) { return try move(source, rows) }
    let input = try value(0)
    let order = node.integers("perm") ?? Array((0..<rank(input)).reversed())
    if order == Array(0..<rank(input)) { return .value(input) }
    // Turned back at once.
    if let source = source(input), case .permute(let before) = source.op,
      before.order.count == order.count, order.allSatisfy(before.order.indices.contains),
      order.map({ before.order[$0] }) == Array(order.indices)
    {
      return .value(source.inputs[0])
    }
    return .value(try add(.permute(Permute(order)), [input]))
  }
}

extension ONNXWriter {
  /// What leaves on one side comes in on the other: two slices, the other way round.
  fileprivate mutating func roll(
    _ shifts: [Int], _ dimensions: [Int], _ node: Graph.Node, _ value: Int
  ) {
    var current = name(node.inputs[0])
    for (shift, dimension) in zip(shifts, dimensions) where shift != 0 {
      let axis = integers(node, "axis", [dimension])
      // A shift may be more than the whole size.
      let size = step(
        "Shape", node, [current],
        [("start", .integer(dimension)), ("end", .integer(dimension + 1))])
      let middle = step("Mod", node, [integers(node, "shift", [-shift]), size])
      let last = step(
        "Slice", node, [current, middle, integers(node, "end", [.max]), axis])
      let first = step(
        "Slice", node, [current, integers(node, "start", [0]), middle, axis])
      current = step("Concat", node, [last, first], [("axis", .integer(dimension))])
    }
    emit("Identity", node, [current], value)
  }
}

extension KerasImport {
  /// Axes in another order are the same value seen otherwise: nothing moves.
  mutating func permuted(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let order = layer.option(["dims"])?.array?.compactMap(\.int) ?? []
    guard order.sorted() == Array(1..<x.rank) else {
      throw layer.refusal("dims: each of 1 to \(x.rank - 1) once expected")
    }
    return try transposed(x, [0] + order, layer)
  }

  /// The value with Keras's axes in another order.
  mutating func transposed(
    _ value: KerasTensor, _ order: [Int], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard order.sorted() == Array(0..<value.rank), order[0] == 0 else {
      throw layer.refusal("axes \(order): an order that leaves axis 0 in its place expected")
    }
    var result = try unflattened(value, layer.fullName)
    result.axes = order.map { result.axes[$0] }
    return result
  }
}

extension KerasBuilder {
  mutating func reshape(
    _ x: PlacedValue, _ target: [Int], _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let input = try arranged(x, Array(x.order.indices), node.name)
    let result = shapes.values[graph.inputs.count + position]
    let rest = result.dropFirst()
    let before = input.place.shape.dropFirst()
    // A first dimension that takes what is left is the number of pictures if all others are known.
    let keepsImages =
      target[0] == 0
      || target[0] == -1 && !rest.contains(nil) && !before.contains(nil)
        && rest.reduce(1) { $0 * ($1 ?? 1) } == before.reduce(1) { $0 * ($1 ?? 1) }
    guard keepsImages else {
      throw refusal(node.name, "no layer reshapes the dimension of the pictures")
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
