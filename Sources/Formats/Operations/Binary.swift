import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Binary: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let kind =
      switch self {
      case .add: "Add"
      case .subtract: "Sub"
      case .multiply: "Mul"
      }
    writer.emit(kind, node, node.inputs.map { writer.name($0) }, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    let className =
      switch self {
      case .add: "Add"
      case .subtract: "Subtract"
      case .multiply: "Multiply"
      }
    let x = inputs[0]
    let other = try builder.arranged(inputs[1], x.order, node.name)
    let shape = zip(x.place.shape, other.place.shape).map {
      $0 == 1 ? $1 : $1 == 1 ? $0 : $0 ?? $1
    }
    return builder.add(className, node.name, [:], [x, other], shape: shape)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let (a, b) = (inputs[0], expression.object(inputs[1]))
    return switch self {
    case .add: "\(a) + \(b)"
    case .subtract: "\(a) - \(b)"
    case .multiply: "\(expression.object(a)) * \(b)"
    }
  }
}

extension Binary: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "Add": [], "Sub": [], "Mul": [], "Div": [], "Pow": [], "Sum": [], "Mean": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    switch reader.node.kind {
    case "Pow": try reader.power()
    case "Sum", "Mean": try reader.sum()
    default: try reader.arithmetic()
    }
  }
}

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

extension Binary: NCNNReadOperation {
  static let ncnnLayers = ["BinaryOp", "Eltwise"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    if layer.type == "Eltwise" {
      try importer.elementwise(layer)
    } else {
      try importer.binary(layer)
    }
  }
}

extension ONNXReader {
  mutating func arithmetic() throws(InterchangeError) -> ONNXOperand {
    let (a, b) = (try given(0), try given(1))
    switch (a, b) {
    case (.value(let a), .value(let b)): return .value(try combined(a, b))
    case (.errorFunction(let of, let plusOne), _):
      return try gaussian(of, plusOne: plusOne, other: b, input: 1)
    case (_, .errorFunction(let of, let plusOne)):
      return try gaussian(of, plusOne: plusOne, other: a, input: 0)
    case (.value(let value), _):
      if let result = try biased(value, 1) { return .value(result) }
      let numbers = try terms(1, for: value)
      switch node.kind {
      case "Add": return .value(try shifted(value, numbers))
      case "Sub": return .value(try shifted(value, numbers.map { -$0 }))
      case "Mul": return .value(try scaled(value, numbers))
      default: return .value(try scaled(value, numbers.map { 1 / $0 }))
      }
    case (_, .value(let value)):
      if let result = try biased(value, 0) { return .value(result) }
      let numbers = try terms(0, for: value)
      switch node.kind {
      case "Add": return .value(try shifted(value, numbers))
      case "Sub": return .value(try shifted(try scaled(value, [-1]), numbers))
      case "Mul": return .value(try scaled(value, numbers))
      default: throw unsupported("a constant divided by values")
      }
    default: throw unsupported("a value of the network and a constant expected")
    }
  }

  fileprivate mutating func combined(_ a: Int, _ b: Int) throws(InterchangeError) -> Int {
    switch node.kind {
    case "Add": return try add(.binary(.add), [a, b])
    case "Sub": return try add(.binary(.subtract), [a, b])
    case "Mul":
      // x · sigmoid(x)
      for (x, y) in [(a, b), (b, a)] {
        if let source = source(y), source.op == .activation(.sigmoid), source.inputs == [x] {
          return try add(.activation(.silu), [x])
        }
      }
      return try add(.binary(.multiply), [a, b])
    default: throw unsupported("one value divided by another")
    }
  }

  mutating func power() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let exponent = try numbers(1)?.constant, [[1], [2], [3]].contains(exponent) else {
      throw unsupported("an exponent of 1, 2 or 3 expected")
    }
    var result = input
    for _ in 1..<Int(exponent[0]) { result = try add(.binary(.multiply), [result, input]) }
    return .value(result)
  }

  mutating func sum() throws(InterchangeError) -> ONNXOperand {
    var result = try value(0)
    for input in node.inputs.indices.dropFirst() {
      result = try add(.binary(.add), [result, try value(input)])
    }
    if node.kind == "Mean" { result = try scaled(result, [1 / Double(node.inputs.count)]) }
    return .value(result)
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
  mutating func pair(
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

  /// Operations on two values, by the layer that does the same.
  static let elementwise: [String: String] = [
    "add": "Add", "subtract": "Subtract", "sub": "Subtract", "multiply": "Multiply",
    "mul": "Multiply", "divide": "Divide", "truediv": "Divide", "truedivide": "Divide",
    "maximum": "Maximum", "minimum": "Minimum",
  ]
}

extension NCNNImporter {
  /// What BinaryOp does with two numbers, by its attribute 0.
  private enum Arithmetic: Int {
    case add, subtract, multiply, divide, maximum, minimum, power, subtractFrom, divideInto
  }

  mutating func binary(_ layer: NCNNLayer) throws(InterchangeError) {
    guard let kind = layer.integer(0).flatMap(Arithmetic.init) else {
      throw layer.unsupported("arithmetic of kind \(layer.number(0))")
    }
    let inputs = try blobs(of: layer)
    switch (inputs.first, inputs.dropFirst().first) {
    case (.value(let value), nil):
      guard layer.number(1) == 1 else { throw layer.unsupported("a second input expected") }
      try give(layer, .value(try arithmetic(layer, kind, value, [layer.number(2)])))
    case (.value(let value), .constant(let tensor)):
      try give(
        layer, .value(try arithmetic(layer, kind, value, try numbers(layer, tensor, value))))
    case (.constant(let tensor), .value(let value)):
      // The other way round.
      let turned: Arithmetic =
        switch kind {
        case .subtract: .subtractFrom
        case .subtractFrom: .subtract
        case .divide: .divideInto
        case .divideInto: .divide
        default: kind
        }
      guard kind != .power else { throw layer.unsupported("a power") }
      try give(
        layer, .value(try arithmetic(layer, turned, value, try numbers(layer, tensor, value))))
    case (.value(let a), .value(let b)):
      let (a, b) = try aligned(layer, a, b)
      let op: Binary =
        switch kind {
        case .add: .add
        case .multiply: .multiply
        case .subtract, .subtractFrom: .subtract
        default: throw layer.unsupported("no operation computes \(kind) of two pictures")
        }
      try give(
        layer, .value(try add(.binary(op), layer, kind == .subtractFrom ? [b, a] : [a, b])))
    default: throw layer.unsupported("arithmetic of constants")
    }
  }

  /// One number, or one for each channel, that a constant is.
  func numbers(
    _ layer: NCNNLayer, _ tensor: Tensor, _ value: Int
  ) throws(InterchangeError) -> [Double] {
    let channels = shape(value).count > 1 ? shape(value)[1] : 0
    let isPerChannel = tensor.count == channels && tensor.shape.first == channels
    guard tensor.count == 1 || isPerChannel else {
      throw layer.unsupported("a constant of shape \(tensor.shape)")
    }
    return tensor.floats.map(Double.init)
  }

  private mutating func arithmetic(
    _ layer: NCNNLayer, _ kind: Arithmetic, _ value: Int, _ numbers: [Double]
  ) throws(InterchangeError) -> Int {
    let largest = Double(Float.greatestFiniteMagnitude)
    guard numbers.allSatisfy(\.isFinite) else { throw layer.unsupported("a number not finite") }
    switch kind {
    case .add: return try add(.offset(Offset(numbers)), layer, [value])
    case .subtract: return try add(.offset(Offset(numbers.map(-))), layer, [value])
    case .multiply: return try add(.scale(Scale(numbers)), layer, [value])
    case .divide where numbers.allSatisfy({ (1 / $0).isFinite }):
      return try add(.scale(Scale(numbers.map { 1 / $0 })), layer, [value])
    case .subtractFrom:
      let negative = try add(.scale(Scale([-1])), layer, [value])
      return try add(.offset(Offset(numbers)), layer, [negative])
    case .maximum where numbers.count == 1:
      return try add(try clamp(layer, numbers[0], largest), layer, [value])
    case .minimum where numbers.count == 1:
      return try add(try clamp(layer, -largest, numbers[0]), layer, [value])
    default: throw layer.unsupported("no operation computes \(kind) with \(numbers.prefix(3))")
    }
  }

  /// Two values of one rank: a vector beside a picture has one number for each channel.
  mutating func aligned(
    _ layer: NCNNLayer, _ a: Int, _ b: Int
  ) throws(InterchangeError) -> (Int, Int) {
    var (a, b) = (a, b)
    if shape(a).count == 2, shape(b).count == 4 {
      a = try add(.reshape(Reshape([0, -1, 1, 1])), layer, [a])
    } else if shape(a).count == 4, shape(b).count == 2 {
      b = try add(.reshape(Reshape([0, -1, 1, 1])), layer, [b])
    }
    return (a, b)
  }

  mutating func elementwise(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer, count: nil)
    let kind = try layer.integer(0, in: 0...2)
    guard kind != 2 else { throw layer.unsupported("the largest of several") }
    let factors = kind == 1 ? layer.numbers(1) : []
    guard factors.isEmpty || factors.count == values.count else {
      throw layer.unsupported("\(values.count) factors expected, \(factors.count) found")
    }
    var terms: [Int] = []
    for (position, value) in values.enumerated() {
      let factor = factors.isEmpty ? 1 : factors[position]
      terms.append(factor == 1 ? value : try add(.scale(Scale([factor])), layer, [value]))
    }
    var result = terms[0]
    for term in terms.dropFirst() {
      result = try add(.binary(kind == 1 ? .add : .multiply), layer, [result, term])
    }
    try give(layer, .value(result))
  }
}
