internal import AviaryGraph

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension OperationRow {
  package static let activation: [OperationRow] = [
    .init(.activation(.relu), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.leakyRelu(slope: 0.05)), #"{"slope":0.05}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.elu(alpha: 1)), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.elu(alpha: 0.5)), #"{"alpha":0.5}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.gelu(approximate: false)), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.gelu(approximate: true)), #"{"approximate":true}"#, [1, 3, 4, 5],
      gives: [1, 3, 4, 5]),
    .init(.activation(.silu), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.sigmoid), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.tanh), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.clamp(minimum: -1, maximum: 2.5)), #"{"maximum":2.5,"minimum":-1}"#,
      [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.celu(alpha: 1)), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.celu(alpha: 0.5)), #"{"alpha":0.5}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.selu), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.mish), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: -4...4),
    .init(.activation(.hardSigmoid), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: -5...5),
    .init(.activation(.hardSwish), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: -5...5),
    .init(
      .activation(.softplus(beta: 1, threshold: 20)), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.softplus(beta: 2, threshold: 15)), #"{"beta":2,"threshold":15}"#, [1, 3, 4, 5],
      gives: [1, 3, 4, 5], values: -9...9),
    .init(.activation(.softsign), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.exp), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.log), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: 0.25...4),
    .init(.activation(.sqrt), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: 0.25...4),
    .init(.activation(.rsqrt), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: 0.25...4),
    .init(.activation(.reciprocal), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: 0.25...4),
    .init(.activation(.abs), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.erf), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: -3...3),
    .init(.activation(.floor), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5], values: -3...3),
    .init(.activation(.sign), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
  ]
}

extension Activation {
  /// The function itself. NaN stays NaN.
  func naive(_ x: Double) -> Double {
    switch self {
    case .relu: x < 0 ? 0 : x
    case .leakyRelu(let slope): x > 0 ? x : slope * x
    case .elu(let alpha): x > 0 ? x : alpha * (library.exp(x) - 1)
    case .celu(let alpha): x > 0 ? x : alpha * (library.exp(x / alpha) - 1)
    case .selu:
      1.0507009873554804934193349852946
        * (x > 0 ? x : 1.6732632423543772848170429916717 * (library.exp(x) - 1))
    case .gelu(approximate: false): x * 0.5 * (1 + library.erf(x / 2.0.squareRoot()))
    case .gelu(approximate: true):
      0.5 * x * (1 + library.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + library.exp(-x))
    case .mish: x * library.tanh(library.log(1 + library.exp(x)))
    case .sigmoid: 1 / (1 + library.exp(-x))
    case .hardSigmoid: x < -3 ? 0 : x > 3 ? 1 : x / 6 + 0.5
    case .hardSwish: x < -3 ? 0 : x > 3 ? x : x * (x + 3) / 6
    case .tanh: library.tanh(x)
    case .softplus(let beta, let threshold):
      beta * x > threshold ? x : library.log(1 + library.exp(beta * x)) / beta
    case .softsign: x / (1 + x.magnitude)
    case .clamp(let minimum, let maximum): x < minimum ? minimum : x > maximum ? maximum : x
    case .exp: library.exp(x)
    case .log: library.log(x)
    case .sqrt: x.squareRoot()
    case .rsqrt: 1 / x.squareRoot()
    case .reciprocal: 1 / x
    case .abs: x.magnitude
    case .erf: library.erf(x)
    case .floor: x.rounded(.down)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : x
    }
  }
}

/// Functions of the C library, which the enumeration's cases of the same names hide.
private let library = (
  exp: { exp($0) } as @Sendable (Double) -> Double,
  log: { log($0) } as @Sendable (Double) -> Double,
  tanh: { tanh($0) } as @Sendable (Double) -> Double,
  erf: { erf($0) } as @Sendable (Double) -> Double
)
