import AviaryGraph

/// Layers that make one value of several.
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
      throw layer.refusal("2 inputs expected, \(operands.count) found")
    }
    return try combined(operands, kind, layer)
  }

  /// Operands one after another by an elementwise operation, of which one may be a constant.
  mutating func combined(
    _ operands: [Operand], _ kind: String, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard operands.count >= 2 else {
      throw layer.refusal("2 or more inputs expected, \(operands.count) found")
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
      case (.constant, .constant): throw layer.refusal("a value expected, constants found")
      }
    }
    guard case .value(let value) = result else {
      throw layer.refusal("a value expected, a constant found")
    }
    if kind != "Average" { return value }
    return try add(
      .scale(Scale([1 / Double(operands.count)])), [value], name: layer.fullName, of: layer)
  }

  /// Two values, element by element.
  private mutating func pair(
    _ a: KerasTensor, _ b: KerasTensor, _ kind: String, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let (a, b) = try aligned(a, b, layer)
    func sized(_ value: KerasTensor) -> KerasTensor {
      var value = value
      value.flattened = a.flattened
      return value
    }
    switch kind {
    case "Add", "Average": return sized(try add(.binary(.add), [a, b], name: name, of: layer))
    case "Subtract": return sized(try add(.binary(.subtract), [a, b], name: name, of: layer))
    case "Multiply": return sized(try add(.binary(.multiply), [a, b], name: name, of: layer))
    case "Maximum":
      // b + max(a - b, 0)
      let difference = try add(.binary(.subtract), [a, b], name: "\(name).difference", of: layer)
      let above = try function(.relu, difference, layer, "\(name).above")
      return sized(try add(.binary(.add), [b, above], name: name, of: layer))
    case "Minimum":
      // b - max(b - a, 0)
      let difference = try add(.binary(.subtract), [b, a], name: "\(name).difference", of: layer)
      let above = try function(.relu, difference, layer, "\(name).above")
      return sized(try add(.binary(.subtract), [b, above], name: name, of: layer))
    default: throw layer.refusal("no operation of ours computes it")
    }
  }

  /// Two values with their axes in the same places. A row meets a picture as Keras has it: its
  /// elements are channels, of one pixel.
  private mutating func aligned(
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
        "inputs of one rank expected, shapes \(first.kerasShape) and \(second.kerasShape) found")
    }
    return (first, try arranged(second, as: first.axes, layer.fullName))
  }

  /// Values side by side along an axis of Keras's.
  mutating func concatenated(
    _ values: [KerasTensor], axis number: Int, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard let first = values.first else {
      throw layer.refusal("1 or more inputs expected, 0 found")
    }
    let axis = try axis(number, of: first, layer)
    var turned: [KerasTensor] = []
    let base = try withChannels(axis, first, layer)
    turned.append(base)
    for value in values.dropFirst() {
      guard value.rank == first.rank else {
        throw layer.refusal("inputs of one rank expected, \(first.rank) and \(value.rank) found")
      }
      turned.append(try arranged(value, as: base.axes, layer.fullName))
    }
    var result = try add(.concatenate, turned, name: layer.fullName, of: layer)
    result.axes = base.axes
    return result
  }
}
