import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Activation: NCNNReadOperation {
  static let ncnnLayers = [
    "ReLU", "Clip", "Sigmoid", "TanH", "ELU", "GELU", "Swish", "UnaryOp", "HardSigmoid",
    "HardSwish", "AbsVal", "CELU", "Erf", "Exp", "Log", "Mish", "SELU", "Softplus",
  ]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.activation(layer)
  }
}

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
    case "AbsVal": op = .activation(.abs)
    case "CELU": op = .activation(.celu(alpha: layer.number(0, default: 1)))
    case "Erf": op = .activation(.erf)
    case "Mish": op = .activation(.mish)
    case "Softplus": op = .activation(.softplus(beta: 1, threshold: 20))
    case "Exp", "Log":
      // With a base, a scale and a shift of their own.
      guard layer.number(0, default: -1) == -1, layer.number(1, default: 1) == 1,
        layer.number(2, default: 0) == 0
      else { throw layer.unsupported("another base than e, a scale or a shift") }
      op = .activation(layer.type == "Exp" ? .exp : .log)
    case "SELU":
      let alpha = layer.number(0, default: Activation.seluConstants.alpha)
      let scale = layer.number(1, default: Activation.seluConstants.scale)
      let curved = try add(.activation(.elu(alpha: alpha)), layer, [value])
      return try give(layer, .value(try add(.scale(Scale([scale])), layer, [curved])))
    case "UnaryOp": return try give(layer, .value(try unary(layer, value)))
    case "HardSigmoid", "HardSwish":
      let gate = try hardSigmoid(
        layer, value, layer.number(0, default: 0.2), layer.number(1, default: 0.5))
      let isSwish = layer.type == "HardSwish"
      try give(layer, .value(isSwish ? try add(.binary(.multiply), layer, [value, gate]) : gate))
      return
    default: throw layer.unsupported("no operation computes it")
    }
    try give(layer, .value(try add(op, layer, [value])))
  }

  /// What UnaryOp does, by its attribute 0.
  private mutating func unary(
    _ layer: NCNNLayer, _ value: Int
  ) throws(InterchangeError) -> Int {
    let op: Op
    switch try layer.integer(0, in: 0...100) {
    case 0: op = .activation(.abs)
    case 1: op = .scale(Scale([-1]))
    case 2: op = .activation(.floor)
    case 4: return try add(.binary(.multiply), layer, [value, value])
    case 5: op = .activation(.sqrt)
    case 6: op = .activation(.rsqrt)
    case 7: op = .activation(.exp)
    case 8: op = .activation(.log)
    case 15: op = .activation(.reciprocal)
    case 16: op = .activation(.tanh)
    case let kind: throw layer.unsupported("a function of kind \(kind)")
    }
    return try add(op, layer, [value])
  }

  /// The activation that ncnn's optimiser moved into a layer (attributes 9 and 10).
  mutating func fused(_ layer: NCNNLayer, _ value: Int) throws(InterchangeError) -> Int {
    let numbers = layer.numbers(10)
    func number(_ position: Int) throws(InterchangeError) -> Double {
      guard position < numbers.count else {
        throw layer.unsupported("an activation without its numbers")
      }
      return numbers[position]
    }
    switch try layer.integer(9, in: 0...100) {
    case 0: return value
    case 1: return try add(.activation(.relu), layer, [value])
    case 2: return try add(.activation(.leakyRelu(slope: try number(0))), layer, [value])
    case 3: return try add(try clamp(layer, try number(0), try number(1)), layer, [value])
    case 4: return try add(.activation(.sigmoid), layer, [value])
    case 5: return try add(.activation(.mish), layer, [value])
    case 6:
      let gate = try hardSigmoid(layer, value, try number(0), try number(1))
      return try add(.binary(.multiply), layer, [value, gate])
    case let other: throw layer.unsupported("a fused activation of kind \(other)")
    }
  }

  /// min(max(alpha · x + beta, 0), 1)
  mutating func hardSigmoid(
    _ layer: NCNNLayer, _ value: Int, _ alpha: Double, _ beta: Double
  ) throws(InterchangeError) -> Int {
    let scaled = try add(.scale(Scale([alpha])), layer, [value])
    let moved = try add(.offset(Offset([beta])), layer, [scaled])
    return try add(.activation(.clamp(minimum: 0, maximum: 1)), layer, [moved])
  }

  func clamp(
    _ layer: NCNNLayer, _ minimum: Double, _ maximum: Double
  ) throws(InterchangeError) -> Op {
    guard minimum <= maximum else { throw layer.unsupported("from \(minimum) to \(maximum)") }
    return .activation(.clamp(minimum: minimum, maximum: maximum))
  }
}

extension Activation: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let input = writer.blob(node.inputs[0])
    func emit(
      _ type: String, _ attributes: [(Int, NCNNWriter.Attribute)] = []
    ) throws(InterchangeError) {
      try writer.emit(type, node, [input], value, attributes)
    }
    func function(_ number: Int) throws(InterchangeError) {
      try emit("UnaryOp", [(0, .integer(number))])
    }
    let sixth: [(Int, NCNNWriter.Attribute)] = [(0, .float(1.0 / 6)), (1, .float(0.5))]
    switch self {
    case .relu: try emit("ReLU")
    case .leakyRelu(let slope): try emit("ReLU", [(0, .float(slope))])
    case .elu(let alpha): try emit("ELU", [(0, .float(alpha))])
    case .celu(let alpha): try emit("CELU", [(0, .float(alpha))])
    case .selu:
      let (alpha, scale) = Activation.seluConstants
      try emit("SELU", [(0, .float(alpha)), (1, .float(scale))])
    case .gelu(let approximate): try emit("GELU", [(0, .integer(approximate ? 1 : 0))])
    case .silu: try emit("Swish")
    case .mish: try emit("Mish")
    case .sigmoid: try emit("Sigmoid")
    case .hardSigmoid: try emit("HardSigmoid", sixth)
    case .hardSwish: try emit("HardSwish", sixth)
    case .tanh: try emit("TanH")
    case .clamp(let minimum, let maximum):
      try emit("Clip", [(0, .float(minimum)), (1, .float(maximum))])
    case .softsign:
      let size = try writer.step("AbsVal", node, [input])
      let divisor = try writer.step(
        "BinaryOp", node, [size], [(0, .integer(0)), (1, .integer(1)), (2, .float(1))])
      try writer.emit("BinaryOp", node, [input, divisor], value, [(0, .integer(3))])
    case .abs: try emit("AbsVal")
    case .erf: try emit("Erf")
    case .floor: try function(2)
    case .sqrt: try function(5)
    case .rsqrt: try function(6)
    case .exp: try function(7)
    case .log: try function(8)
    case .reciprocal: try function(15)
    case .softplus: throw writer.refusal(node, "ncnn's Softplus is infinite from 88 on")
    case .sign: throw writer.refusal(node, "ncnn has no sign")
    }
  }
}
