/// A function of single values.
public enum Activation: Hashable, Sendable {
  /// max(x, 0)
  case relu
  /// x for x > 0, else slope · x.
  case leakyRelu(slope: Double)
  /// x for x > 0, else alpha · (exp(x) - 1).
  case elu(alpha: Double)
  /// max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0); alpha is not 0.
  case celu(alpha: Double)
  /// 1.0507… · elu with alpha 1.6732… (Klambauer et al., "Self-Normalizing Neural Networks", 2017).
  case selu
  /// x · Φ(x) by the error function, or by its tanh approximation.
  case gelu(approximate: Bool)
  /// x · sigmoid(x)
  case silu
  /// x · tanh(softplus(x)) (Misra, "Mish", 2019).
  case mish
  /// 1 / (1 + exp(-x))
  case sigmoid
  /// min(max(x / 6 + 1/2, 0), 1)
  case hardSigmoid
  /// x · hardSigmoid(x)
  case hardSwish
  case tanh
  /// log(1 + exp(beta · x)) / beta, and x itself where beta · x is above the threshold.
  case softplus(beta: Double, threshold: Double)
  /// x / (1 + |x|)
  case softsign
  /// min(max(x, minimum), maximum)
  case clamp(minimum: Double, maximum: Double)
  /// e to the power of x.
  case exp
  /// The natural logarithm: -infinity of 0, and NaN below.
  case log
  /// The square root: NaN below 0.
  case sqrt
  /// 1 / √x
  case rsqrt
  /// 1 / x
  case reciprocal
  /// |x|
  case abs
  /// The error function: 2 / √π times the integral of exp(-t²) from 0 to x.
  case erf
  /// The largest integer that is not above x. Its gradient is 0.
  case floor
  /// -1, 0 or 1. Its gradient is 0.
  case sign
}

extension Activation: Operation {
  package static let names = [
    "relu", "leakyRelu", "elu", "celu", "selu", "gelu", "silu", "mish", "sigmoid", "hardSigmoid",
    "hardSwish", "tanh", "softplus", "softsign", "clamp", "exp", "log", "sqrt", "rsqrt",
    "reciprocal", "abs", "erf", "floor", "sign",
  ]

  package var name: String {
    switch self {
    case .relu: "relu"
    case .leakyRelu: "leakyRelu"
    case .elu: "elu"
    case .celu: "celu"
    case .selu: "selu"
    case .gelu: "gelu"
    case .silu: "silu"
    case .mish: "mish"
    case .sigmoid: "sigmoid"
    case .hardSigmoid: "hardSigmoid"
    case .hardSwish: "hardSwish"
    case .tanh: "tanh"
    case .softplus: "softplus"
    case .softsign: "softsign"
    case .clamp: "clamp"
    case .exp: "exp"
    case .log: "log"
    case .sqrt: "sqrt"
    case .rsqrt: "rsqrt"
    case .reciprocal: "reciprocal"
    case .abs: "abs"
    case .erf: "erf"
    case .floor: "floor"
    case .sign: "sign"
    }
  }

  package var op: Op { .activation(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    switch name {
    case "leakyRelu": self = .leakyRelu(slope: try a.number("slope"))
    case "elu": self = .elu(alpha: try a.number("alpha", default: 1))
    case "celu": self = .celu(alpha: try a.number("alpha", default: 1))
    case "gelu": self = .gelu(approximate: try a.bool("approximate", default: false))
    case "softplus":
      self = .softplus(
        beta: try a.number("beta", default: 1), threshold: try a.number("threshold", default: 20))
    case "clamp":
      self = .clamp(minimum: try a.number("minimum"), maximum: try a.number("maximum"))
    default:
      guard let plain = Self.withoutAttributes.first(where: { $0.name == name }) else {
        throw .unknownOperation(node: a.node, name, nearest: name.nearest(in: Self.names))
      }
      self = plain
    }
  }

  /// Those that their name says everything of.
  private static let withoutAttributes: [Activation] = [
    .relu, .selu, .silu, .mish, .sigmoid, .hardSigmoid, .hardSwish, .tanh, .softsign, .exp, .log,
    .sqrt, .rsqrt, .reciprocal, .abs, .erf, .floor, .sign,
  ]

  package var attributes: [String: JSON] {
    switch self {
    case .leakyRelu(let slope): ["slope": .number(slope)]
    case .elu(let alpha), .celu(let alpha): Attributes.members(("alpha", .number(alpha), 1.0))
    case .gelu(let approximate): Attributes.members(("approximate", .bool(approximate), false))
    case .softplus(let beta, let threshold):
      Attributes.members(("beta", .number(beta), 1.0), ("threshold", .number(threshold), 20.0))
    case .clamp(let minimum, let maximum):
      ["minimum": .number(minimum), "maximum": .number(maximum)]
    case .relu, .selu, .silu, .mish, .sigmoid, .hardSigmoid, .hardSwish, .tanh, .softsign, .exp,
      .log, .sqrt, .rsqrt, .reciprocal, .abs, .erf, .floor, .sign:
      [:]
    }
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    switch self {
    case .leakyRelu(let slope): try check("slope", slope)
    case .elu(let alpha): try check("alpha", alpha)
    case .celu(let alpha):
      guard alpha.isFinite, alpha != 0 else {
        throw .attribute(
          node: check.node, "alpha", expected: "a finite number other than 0", found: "\(alpha)")
      }
    case .softplus(let beta, let threshold):
      try check("beta", beta, positive: true)
      try check("threshold", threshold)
    case .clamp(let minimum, let maximum):
      try check("minimum", minimum)
      try check("maximum", maximum)
      guard minimum <= maximum else {
        throw .attribute(
          node: check.node, "maximum", expected: "at least \(minimum)", found: "\(maximum)")
      }
    case .relu, .selu, .gelu, .silu, .mish, .sigmoid, .hardSigmoid, .hardSwish, .tanh, .softsign,
      .exp, .log, .sqrt, .rsqrt, .reciprocal, .abs, .erf, .floor, .sign:
      break
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] { inputs[0] }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Activation {
  /// The constants of SELU.
  package static let seluConstants = (
    alpha: 1.673_263_242_354_377_2, scale: 1.050_700_987_355_480_5
  )
}

extension Value {
  /// max(x, 0)
  public func relu() -> Value { applying(.activation(.relu)) }
  /// x for x > 0, else slope · x.
  public func leakyRelu(_ slope: Double) -> Value {
    applying(.activation(.leakyRelu(slope: slope)))
  }
  /// Any function of single values.
  public func activation(_ activation: Activation) -> Value { applying(.activation(activation)) }
}
