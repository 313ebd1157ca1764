import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

// Keras and ncnn have files of their own.

extension Activation: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.activation(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.activation(inputs[0], self, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = inputs[0]
    return switch self {
    case .relu: "F.relu(\(x))"
    case .leakyRelu(let slope): "F.leaky_relu(\(x), \(slope))"
    case .elu(let alpha): alpha == 1 ? "F.elu(\(x))" : "F.elu(\(x), \(alpha))"
    case .celu(let alpha): alpha == 1 ? "F.celu(\(x))" : "F.celu(\(x), \(alpha))"
    case .selu: "F.selu(\(x))"
    case .gelu(let approximate):
      approximate ? "F.gelu(\(x), approximate=\"tanh\")" : "F.gelu(\(x))"
    case .silu: "F.silu(\(x))"
    case .mish: "F.mish(\(x))"
    case .hardSigmoid: "F.hardsigmoid(\(x))"
    case .hardSwish: "F.hardswish(\(x))"
    case .softplus(let beta, let threshold):
      (beta, threshold) == (1, 20) ? "F.softplus(\(x))" : "F.softplus(\(x), \(beta), \(threshold))"
    case .softsign: "F.softsign(\(x))"
    case .clamp(let minimum, let maximum):
      "\(expression.object(x)).clamp(\(minimum), \(maximum))"
    case .sigmoid, .tanh, .exp, .log, .sqrt, .rsqrt, .reciprocal, .abs, .erf, .floor, .sign:
      "torch.\(name)(\(x))"
    }
  }
}

extension Activation: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "Relu": [], "LeakyRelu": [], "Elu": [], "Celu": [], "Selu": [], "Sigmoid": [],
    "HardSigmoid": [], "HardSwish": [], "Tanh": [], "Gelu": [], "Mish": [], "Softplus": [],
    "Softsign": [], "Clip": [], "Exp": [], "Log": [], "Sqrt": [], "Reciprocal": [], "Abs": [],
    "Erf": [], "Floor": [], "Ceil": [], "Sign": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    let node = reader.node
    switch node.kind {
    case "LeakyRelu":
      return try reader.one(.activation(.leakyRelu(slope: node.number("alpha") ?? 0.01)))
    case "Elu": return try reader.one(.activation(.elu(alpha: node.number("alpha") ?? 1)))
    case "Celu": return try reader.one(.activation(.celu(alpha: node.number("alpha") ?? 1)))
    case "Gelu":
      return try reader.one(
        .activation(.gelu(approximate: node.text("approximate") == "tanh")))
    case "Selu": return try reader.selu()
    case "HardSigmoid": return try reader.hardSigmoid()
    case "Clip": return try reader.clip()
    case "Reciprocal": return .value(try reader.reciprocal(of: try reader.value(0)))
    case "Ceil":
      let mirrored = try reader.scaled(try reader.value(0), [-1])
      let floor = try reader.add(.activation(.floor), [mirrored])
      return .value(try reader.scaled(floor, [-1]))
    default:
      guard let activation = Self.onnxFunctions[node.kind] else {
        throw reader.unsupported("it is no activation that is read")
      }
      return try reader.one(.activation(activation))
    }
  }

  /// Operators that their name says everything of.
  private static let onnxFunctions: [String: Activation] = [
    "Relu": .relu, "Sigmoid": .sigmoid, "HardSwish": .hardSwish, "Tanh": .tanh, "Mish": .mish,
    "Softplus": .softplus(beta: 1, threshold: 20), "Softsign": .softsign, "Exp": .exp, "Log": .log,
    "Sqrt": .sqrt, "Abs": .abs, "Erf": .erf, "Floor": .floor, "Sign": .sign,
  ]
}

extension ONNXReader {
  mutating func selu() throws(InterchangeError) -> ONNXOperand {
    let constants = Activation.seluConstants
    let alpha = node.number("alpha") ?? constants.alpha
    let gamma = node.number("gamma") ?? constants.scale
    if abs(alpha - constants.alpha) < 1e-6, abs(gamma - constants.scale) < 1e-6 {
      return try one(.activation(.selu))
    }
    let curved = try add(.activation(.elu(alpha: alpha)), [try value(0)])
    return .value(try scaled(curved, [gamma]))
  }

  mutating func hardSigmoid() throws(InterchangeError) -> ONNXOperand {
    let (slope, offset) = (node.number("alpha") ?? 0.2, node.number("beta") ?? 0.5)
    if abs(slope - 1.0 / 6) < 1e-7, offset == 0.5 { return try one(.activation(.hardSigmoid)) }
    let sloped = try add(.scale(Scale([slope])), [try value(0)])
    let shifted = try add(.offset(Offset([offset])), [sloped])
    return .value(try add(.activation(.clamp(minimum: 0, maximum: 1)), [shifted]))
  }

  mutating func clip() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    func bound(_ place: Int, _ name: String) throws(InterchangeError) -> Double? {
      if let number = node.number(name) { return number }
      guard node.input(place) != nil else { return nil }
      guard let numbers = try numbers(place)?.constant, numbers.count == 1 else {
        throw unsupported("\(name): expected a constant number")
      }
      return numbers[0].meant
    }
    return .value(try clamped(input, try bound(1, "min"), try bound(2, "max")))
  }

  /// A value within bounds, of which either may be none.
  mutating func clamped(
    _ value: Int, _ minimum: Double?, _ maximum: Double?
  ) throws(InterchangeError) -> Int {
    if minimum == 0, maximum == nil { return try add(.activation(.relu), [value]) }
    let largest = Double(Float.greatestFiniteMagnitude)
    func finite(_ number: Double?, _ standard: Double) -> Double {
      guard let number else { return standard }
      return number.isInfinite ? (number < 0 ? -largest : largest) : number
    }
    let bounds = (finite(minimum, -largest), finite(maximum, largest))
    return try add(.activation(.clamp(minimum: bounds.0, maximum: bounds.1)), [value])
  }

  /// One over a value.
  mutating func reciprocal(of value: Int) throws(InterchangeError) -> Int {
    if let source = source(value), source.op == .activation(.sqrt) {
      return try add(.activation(.rsqrt), source.inputs)
    }
    return try add(.activation(.reciprocal), [value])
  }
}

extension ONNXWriter {
  mutating func activation(_ activation: Activation, _ node: Graph.Node, _ value: Int) {
    let x = name(node.inputs[0])
    func number(_ what: String, _ number: Double) -> String {
      floats(node, what, [number], rank: 0)
    }
    switch activation {
    case .leakyRelu(let slope): emit("LeakyRelu", node, [x], value, [("alpha", .float(slope))])
    case .elu(let alpha): emit("Elu", node, [x], value, [("alpha", .float(alpha))])
    case .celu(let alpha): emit("Celu", node, [x], value, [("alpha", .float(alpha))])
    case .hardSigmoid: emit("HardSigmoid", node, [x], value, [("alpha", .float(1.0 / 6))])
    case .clamp(let minimum, let maximum):
      emit("Clip", node, [x, number("min", minimum), number("max", maximum)], value)
    case .silu: emit("Mul", node, [x, step("Sigmoid", node, [x])], value)
    case .mish:
      // An operator of its own is younger than version 17.
      let gate = step("Tanh", node, [step("Softplus", node, [x])])
      emit("Mul", node, [x, gate], value)
    case .softplus(let beta, let threshold):
      let scaled = beta == 1 ? x : step("Mul", node, [x, number("beta", beta)])
      // From 15 on the two forms differ by less than float32 tells.
      let isCurve = threshold >= 15
      if beta == 1, isCurve { return emit("Softplus", node, [x], value) }
      var curve = step("Softplus", node, [scaled])
      if beta != 1 {
        let inverse = number("inverse", 1 / beta)
        if isCurve { return emit("Mul", node, [curve, inverse], value) }
        curve = step("Mul", node, [curve, inverse])
      }
      let isLine = step("Greater", node, [scaled, number("threshold", threshold)])
      emit("Where", node, [isLine, x, curve], value)
    case .rsqrt: emit("Reciprocal", node, [step("Sqrt", node, [x])], value)
    case .gelu(approximate: false):
      // x / 2 · (1 + erf(x / √2)): an operator of its own is younger than version 17.
      let scaled = step("Mul", node, [x, number("root", 0.5.squareRoot())])
      let curve = step("Add", node, [step("Erf", node, [scaled]), number("one", 1)])
      let half = step("Mul", node, [x, number("half", 0.5)])
      emit("Mul", node, [half, curve], value)
    case .gelu(approximate: true):
      // x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
      let square = step("Mul", node, [x, x])
      let cube = step("Mul", node, [square, x])
      let bent = step(
        "Add", node, [x, step("Mul", node, [cube, number("cubic", 0.044_715)])])
      let scaled = step(
        "Mul", node, [bent, number("root", (2 / Double.pi).squareRoot())])
      let curve = step("Add", node, [step("Tanh", node, [scaled]), number("one", 1)])
      let half = step("Mul", node, [x, number("half", 0.5)])
      emit("Mul", node, [half, curve], value)
    case .relu, .selu, .hardSwish, .sigmoid, .tanh, .softsign, .exp, .log, .sqrt, .reciprocal,
      .abs, .erf, .floor, .sign:
      // ONNX's name is ours with a capital.
      emit(activation.name.prefix(1).uppercased() + activation.name.dropFirst(), node, [x], value)
    }
  }
}
