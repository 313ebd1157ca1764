import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Binary: KerasMergeOperation, KerasFunctionOperation {
  static let kerasMerges = [
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Merge",
  ]
  static let kerasMergeFunctions = Array(KerasImport.elementwise.keys)
  static let kerasFunctions = ["square"]

  static func merge(
    _ layer: KerasLayer, function word: String?, _ operands: [KerasImport.Operand],
    _ call: KerasCall, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    guard let kind = word.flatMap({ KerasImport.elementwise[$0] }) else {
      return try importer.merge(layer, operands, call)
    }
    var operands = operands
    if operands.count == 1, let other = call.options["y"] ?? call.options["x2"] {
      operands.append(.constant(other))
    }
    return try importer.combined(operands, kind, layer)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let layer = function.layer
    return try importer.add(
      .binary(.multiply), [function.x, function.x], name: layer.fullName, of: layer)
  }
}

extension KerasImport {
  /// A layer of several inputs, or Keras 3's operation of the same class.
  mutating func merge(
    _ layer: KerasLayer, _ operands: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    var kind = layer.className
    if kind == "Merge" {
      let mode = try layer.word(["mode"], default: "sum")
      let kinds = [
        "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum",
        "concat": "Concatenate",
      ]
      guard let found = kinds[mode] else { throw layer.refusal("mode '\(mode)' is not supported") }
      kind = found
    }
    if kind == "Concatenate" {
      let number =
        layer.option(["axis", "concat_axis"])?.int ?? call.options["axis"]?.int ?? -1
      return try concatenated(try values(operands, of: layer), axis: number, layer)
    }
    guard kind != "Subtract" || operands.count == 2 else {
      throw layer.refusal("expected 2 inputs, found \(operands.count)")
    }
    return try combined(operands, kind, layer)
  }

  /// Operands one after another by an elementwise operation, of which one may be a constant.
  mutating func combined(
    _ operands: [Operand], _ kind: String, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard operands.count >= 2 else {
      throw layer.refusal("expected 2 or more inputs, found \(operands.count)")
    }
    var result = operands[0]
    for (position, operand) in operands.enumerated().dropFirst() {
      let name =
        position + 1 == operands.count && kind != "Average"
        ? layer.fullName : "\(layer.fullName).\(position)"
      switch (result, operand) {
      case (.value(let a), .value(let b)):
        result = .value(try pair(a, b, kind, layer, name))
      case (.value(let a), .constant(let b)):
        result = .value(try constant(a, b, kind, isFirst: false, layer, name))
      case (.constant(let a), .value(let b)):
        result = .value(try constant(b, a, kind, isFirst: true, layer, name))
      case (.constant, .constant): throw layer.refusal("expected a value, found constants")
      }
    }
    guard case .value(let value) = result else {
      throw layer.refusal("expected a value, found a constant")
    }
    if kind != "Average" { return value }
    return try add(
      .scale(Scale([1 / Double(operands.count)])), [value], name: layer.fullName, of: layer)
  }

  /// Two values, element by element.
  mutating func pair(
    _ a: KerasTensor, _ b: KerasTensor, _ kind: String, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let (a, b) = try aligned(a, b, layer)
    func sized(_ value: KerasTensor) -> KerasTensor {
      var value = value
      value.flattened = a.flattened
      return value
    }
    guard let binary = Self.operations[kind] else {
      throw layer.refusal("no operation of ours computes it")
    }
    if binary == .multiply, let gelu = try gaussian(a, b, layer, name) { return sized(gelu) }
    return sized(try add(.binary(binary), [a, b], name: name, of: layer))
  }

  /// Two values with their axes in the same places. A row meets an image as Keras has it: its
  /// elements are channels, of one pixel.
  mutating func aligned(
    _ a: KerasTensor, _ b: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> (KerasTensor, KerasTensor) {
    if a.rank < b.rank {
      let (b, a) = try aligned(b, a, layer)
      return (a, b)
    }
    if a.flattened == b.flattened, a.axes == b.axes { return (a, b) }
    let first = try unflattened(a, layer.fullName)
    var second = try unflattened(b, layer.fullName)
    if second.rank == 2, first.rank > 2, !layer.module.contains(".ops") {
      let target = Array(repeating: 1, count: first.rank - 2) + [second.shape[1]]
      second = add(
        .reshape(Reshape([0] + target)), [second], shape: [1] + target,
        name: "\(layer.fullName).expanded")
      second.axes = Array(0..<first.rank)
    }
    guard first.rank == second.rank else {
      throw layer.refusal(
        "expected inputs of one rank, found shapes \(first.kerasShape) and \(second.kerasShape)")
    }
    return (first, try arranged(second, as: first.axes, layer.fullName))
  }

  /// Operations on two values, by the layer that does the same or would.
  static let elementwise: [String: String] = [
    "add": "Add", "subtract": "Subtract", "sub": "Subtract", "multiply": "Multiply",
    "mul": "Multiply", "divide": "Divide", "truediv": "Divide", "truedivide": "Divide",
    "realdiv": "Divide", "maximum": "Maximum", "minimum": "Minimum", "power": "Power",
    "pow": "Power", "equal": "Equal", "less": "Less", "lessequal": "LessEqual",
    "greater": "Greater", "greaterequal": "GreaterEqual",
  ]

  /// Our operations, by the same.
  private static let operations: [String: Binary] = [
    "Add": .add, "Average": .add, "Subtract": .subtract, "Multiply": .multiply, "Divide": .divide,
    "Maximum": .maximum, "Minimum": .minimum, "Power": .power, "Equal": .equal, "Less": .less,
    "LessEqual": .lessOrEqual, "Greater": .greater, "GreaterEqual": .greaterOrEqual,
  ]
}

extension KerasBuilder {
  /// A layer of two inputs, aligned as the first lies.
  mutating func binary(
    _ binary: Binary, _ node: Graph.Node, _ inputs: [PlacedValue]
  ) throws(InterchangeError) -> PlacedValue {
    let className =
      switch binary {
      case .add: "Add"
      case .subtract: "Subtract"
      case .multiply: "Multiply"
      case .minimum: "Minimum"
      case .maximum: "Maximum"
      case .divide, .power, .equal, .less, .lessOrEqual, .greater, .greaterOrEqual:
        throw refusal(node.name, "no layer of Keras's computes \(binary.name)")
      }
    let x = inputs[0]
    guard inputs[1].order.count == x.order.count else {
      throw refusal(node.name, "values of \(x.order.count) and \(inputs[1].order.count) dimensions")
    }
    let other = try arranged(inputs[1], x.order, node.name)
    let shape = zip(x.place.shape, other.place.shape).map {
      $0 == 1 ? $1 : $1 == 1 ? $0 : $0 ?? $1
    }
    return add(className, node.name, [:], [x, other], shape: shape)
  }
}
