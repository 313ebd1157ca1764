/// A function of single values.
public enum Activation: Hashable, Sendable {
  /// max(x, 0)
  case relu
  /// x for x > 0, else slope · x.
  case leakyRelu(slope: Double)
  /// x for x > 0, else alpha · (exp(x) - 1).
  case elu(alpha: Double)
  /// x · Φ(x) by the error function, or by its tanh approximation.
  case gelu(approximate: Bool)
  /// x · sigmoid(x)
  case silu
  /// 1 / (1 + exp(-x))
  case sigmoid
  case tanh
  /// min(max(x, minimum), maximum)
  case clamp(minimum: Double, maximum: Double)
}

extension Activation: Operation {
  package static let names = [
    "relu", "leakyRelu", "elu", "gelu", "silu", "sigmoid", "tanh", "clamp",
  ]

  package var name: String {
    switch self {
    case .relu: "relu"
    case .leakyRelu: "leakyRelu"
    case .elu: "elu"
    case .gelu: "gelu"
    case .silu: "silu"
    case .sigmoid: "sigmoid"
    case .tanh: "tanh"
    case .clamp: "clamp"
    }
  }

  package var op: Op { .activation(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    switch name {
    case "relu": self = .relu
    case "leakyRelu": self = .leakyRelu(slope: try a.number("slope"))
    case "elu": self = .elu(alpha: try a.number("alpha", default: 1))
    case "gelu": self = .gelu(approximate: try a.bool("approximate", default: false))
    case "silu": self = .silu
    case "sigmoid": self = .sigmoid
    case "tanh": self = .tanh
    case "clamp":
      self = .clamp(minimum: try a.number("minimum"), maximum: try a.number("maximum"))
    default: throw .unknownOperation(node: a.node, name, nearest: name.nearest(in: Self.names))
    }
  }

  package var attributes: [String: JSON] {
    switch self {
    case .leakyRelu(let slope): ["slope": .number(slope)]
    case .elu(let alpha): Attributes.members(("alpha", .number(alpha), 1.0))
    case .gelu(let approximate): Attributes.members(("approximate", .bool(approximate), false))
    case .clamp(let minimum, let maximum):
      ["minimum": .number(minimum), "maximum": .number(maximum)]
    case .relu, .silu, .sigmoid, .tanh: [:]
    }
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    switch self {
    case .leakyRelu(let slope): try check("slope", slope)
    case .elu(let alpha): try check("alpha", alpha)
    case .clamp(let minimum, let maximum):
      try check("minimum", minimum)
      try check("maximum", maximum)
      guard minimum <= maximum else {
        throw .attribute(
          node: check.node, "maximum", expected: "at least \(minimum)", found: "\(maximum)")
      }
    case .relu, .gelu, .silu, .sigmoid, .tanh: break
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] { inputs[0] }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// max(x, 0)
  public func relu() -> Value { applying(.activation(.relu)) }
  /// x for x > 0, else slope · x.
  public func leakyRelu(_ slope: Double) -> Value {
    applying(.activation(.leakyRelu(slope: slope)))
  }
  /// Any activation.
  public func activation(_ activation: Activation) -> Value { applying(.activation(activation)) }
}
