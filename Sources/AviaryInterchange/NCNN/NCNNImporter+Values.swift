import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

// What is done to single values, and between blobs.
extension NCNNImporter {
  mutating func activation(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let largest = Double(Float.greatestFiniteMagnitude)
    let op: Op
    switch layer.type {
    case "ReLU":
      let slope = layer.number(0)
      op = .activation(slope == 0 ? .relu : .leakyRelu(slope: slope))
    case "Clip":
      op = try clamp(layer, layer.number(0, default: -largest), layer.number(1, default: largest))
    case "Sigmoid": op = .activation(.sigmoid)
    case "TanH": op = .activation(.tanh)
    case "ELU": op = .activation(.elu(alpha: layer.number(0, default: 0.1)))
    case "GELU": op = .activation(.gelu(approximate: layer.number(0) != 0))
    case "Swish": op = .activation(.silu)
    case "UnaryOp" where layer.number(0) == 1: op = .scale([-1])
    case "UnaryOp" where layer.number(0) == 16: op = .activation(.tanh)
    case "HardSigmoid", "HardSwish":
      let gate = try hardSigmoid(
        layer, value, layer.number(0, default: 0.2), layer.number(1, default: 0.5))
      let isSwish = layer.type == "HardSwish"
      try give(layer, .value(isSwish ? try add(.multiply, layer, [value, gate]) : gate))
      return
    default: throw layer.unsupported("no operation computes it")
    }
    try give(layer, .value(try add(op, layer, [value])))
  }

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
      let op: Op =
        switch kind {
        case .add: .add
        case .multiply: .multiply
        case .subtract, .subtractFrom: .subtract
        default: throw layer.unsupported("no operation computes \(kind) of two pictures")
        }
      try give(layer, .value(try add(op, layer, kind == .subtractFrom ? [b, a] : [a, b])))
    default: throw layer.unsupported("arithmetic of constants")
    }
  }

  /// One number, or one for each channel, that a constant is.
  private func numbers(
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
    case .add: return try add(.offset(numbers), layer, [value])
    case .subtract: return try add(.offset(numbers.map(-)), layer, [value])
    case .multiply: return try add(.scale(numbers), layer, [value])
    case .divide where numbers.allSatisfy({ (1 / $0).isFinite }):
      return try add(.scale(numbers.map { 1 / $0 }), layer, [value])
    case .subtractFrom:
      let negative = try add(.scale([-1]), layer, [value])
      return try add(.offset(numbers), layer, [negative])
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
      a = try add(.reshape([0, -1, 1, 1]), layer, [a])
    } else if shape(a).count == 4, shape(b).count == 2 {
      b = try add(.reshape([0, -1, 1, 1]), layer, [b])
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
      terms.append(factor == 1 ? value : try add(.scale([factor]), layer, [value]))
    }
    var result = terms[0]
    for term in terms.dropFirst() {
      result = try add(kind == 1 ? .add : .multiply, layer, [result, term])
    }
    try give(layer, .value(result))
  }

  mutating func concatenate(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer, count: nil)
    try requireChannels(layer, axis: layer.integer(0), rank: shape(values[0]).count)
    guard values.count <= GraphLimits.inputs else {
      throw layer.unsupported("\(values.count) inputs")
    }
    try give(layer, .value(try add(.concatenate, layer, values)))
  }

  mutating func slice(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    try requireChannels(layer, axis: layer.integer(1), rank: shape(value).count)
    guard let counts = layer.integers(0), counts.count == layer.outputs.count, !layer.has(2) else {
      throw layer.unsupported("a count of channels for each output expected")
    }
    let channels = shape(value)[1]
    var start = 0
    for (position, output) in layer.outputs.enumerated() {
      // -233: an equal part of what is left.
      let stated = counts[position]
      let count = stated == -233 ? (channels - start) / (counts.count - position) : stated
      guard (1...GraphLimits.channels).contains(count), start + count <= channels else {
        throw layer.unsupported("\(count) channels from \(start) on of \(channels)")
      }
      let part = try add(.slice(start: start, count: count), layer, [value])
      give(blob: output, .value(part))
      start += count
    }
  }

  /// Only channels can be put side by side and taken apart.
  private func requireChannels(
    _ layer: NCNNLayer, axis: Int?, rank: Int
  ) throws(InterchangeError) {
    guard axis == 0 || axis == 1 - rank else {
      throw layer.unsupported("the axis of channels expected, \(axis ?? -1) found")
    }
  }
}
