import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

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
      guard layer.number(1) == 1 else { throw layer.unsupported("expected a second input") }
      try give(layer, .value(try arithmetic(layer, kind, value, [layer.number(2)])))
    case (.value(let value), .constant(let tensor, let name))
    where !isPerChannel(tensor, value):
      let constant = try learnedConstant(
        tensor, layer: name, rank: shape(value).count, for: layer)
      try give(layer, .value(try add(layer, kind, value, constant)))
    case (.constant(let tensor, let name), .value(let value))
    where !isPerChannel(tensor, value) || kind == .power:
      let constant = try learnedConstant(
        tensor, layer: name, rank: shape(value).count, for: layer)
      try give(layer, .value(try add(layer, kind, constant, value)))
    case (.value(let value), .constant(let tensor, _)):
      try give(
        layer, .value(try arithmetic(layer, kind, value, tensor.floats.map(Double.init))))
    case (.constant(let tensor, _), .value(let value)):
      // The other way round.
      let turned: Arithmetic =
        switch kind {
        case .subtract: .subtractFrom
        case .subtractFrom: .subtract
        case .divide: .divideInto
        case .divideInto: .divide
        default: kind
        }
      try give(
        layer, .value(try arithmetic(layer, turned, value, tensor.floats.map(Double.init))))
    case (.value(let a), .value(let b)):
      let (a, b) = try aligned(layer, a, b)
      try give(layer, .value(try add(layer, kind, a, b)))
    default: throw layer.unsupported("arithmetic of constants")
    }
  }

  /// Arithmetic of two values.
  private mutating func add(
    _ layer: NCNNLayer, _ kind: Arithmetic, _ a: Int, _ b: Int
  ) throws(InterchangeError) -> Int {
    let (op, isTurned): (Binary, Bool) =
      switch kind {
      case .add: (.add, false)
      case .multiply: (.multiply, false)
      case .subtract: (.subtract, false)
      case .subtractFrom: (.subtract, true)
      case .divide: (.divide, false)
      case .divideInto: (.divide, true)
      case .maximum: (.maximum, false)
      case .minimum: (.minimum, false)
      case .power: (.power, false)
      }
    return try add(.binary(op), layer, isTurned ? [b, a] : [a, b])
  }

  /// Whether a constant is one number, or one for each channel.
  private func isPerChannel(_ tensor: Tensor, _ value: Int) -> Bool {
    let channels = shape(value).count > 1 ? shape(value)[1] : 0
    return tensor.count == 1 || tensor.count == channels && tensor.shape.first == channels
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
    case .divideInto:
      let reciprocal = try add(.activation(.reciprocal), layer, [value])
      return numbers == [1] ? reciprocal : try add(.scale(Scale(numbers)), layer, [reciprocal])
    case .power where numbers == [2]: return try add(.binary(.multiply), layer, [value, value])
    case .power where numbers == [0.5]: return try add(.activation(.sqrt), layer, [value])
    case .power where numbers == [-0.5]: return try add(.activation(.rsqrt), layer, [value])
    case .power where numbers == [-1]: return try add(.activation(.reciprocal), layer, [value])
    case .maximum where numbers.count == 1:
      return try add(try clamp(layer, numbers[0], largest), layer, [value])
    case .minimum where numbers.count == 1:
      return try add(try clamp(layer, -largest, numbers[0]), layer, [value])
    default: throw layer.unsupported("no operation computes \(kind) with \(numbers.prefix(3))")
    }
  }

  /// Two values of one rank: a vector beside an image has one number for each channel.
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
    let factors = kind == 1 ? layer.numbers(1) : []
    guard factors.isEmpty || factors.count == values.count else {
      throw layer.unsupported("expected \(values.count) factors, found \(factors.count)")
    }
    var terms: [Int] = []
    for (position, value) in values.enumerated() {
      let factor = factors.isEmpty ? 1 : factors[position]
      terms.append(factor == 1 ? value : try add(.scale(Scale([factor])), layer, [value]))
    }
    var result = terms[0]
    for term in terms.dropFirst() {
      result = try add(
        .binary(kind == 0 ? .multiply : kind == 1 ? .add : .maximum), layer, [result, term])
    }
    try give(layer, .value(result))
  }
}

extension Binary: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let kind: Int
    switch self {
    case .add: kind = 0
    case .subtract: kind = 1
    case .multiply: kind = 2
    case .divide: kind = 3
    case .maximum: kind = 4
    case .minimum: kind = 5
    case .power: throw writer.refusal(node, "ncnn computes powers of 0 otherwise")
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual:
      throw writer.refusal(node, "ncnn has no comparison")
    }
    // ncnn aligns shapes of different length otherwise than NumPy; a constant is written in full.
    let ranks = Set(node.inputs.filter { !writer.isConstant($0) }.map { writer.shapes[$0].count })
    guard ranks.count == 1 else {
      throw writer.refusal(node, "expected inputs of as many dimensions, found \(ranks.sorted())")
    }
    try writer.emit(
      "BinaryOp", node, node.inputs.map { writer.blob($0) }, value, [(0, .integer(kind))])
  }
}
