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
  ]
}

extension Activation {
  /// The function itself. NaN stays NaN.
  func naive(_ x: Double) -> Double {
    switch self {
    case .relu: x < 0 ? 0 : x
    case .leakyRelu(let slope): x > 0 ? x : slope * x
    case .elu(let alpha): x > 0 ? x : alpha * (exp(x) - 1)
    case .gelu(approximate: false): x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
    case .gelu(approximate: true):
      0.5 * x * (1 + hyperbolicTangent((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: hyperbolicTangent(x)
    case .clamp(let minimum, let maximum): x < minimum ? minimum : x > maximum ? maximum : x
    }
  }
}

/// The function of the C library, which the enumeration's case of the same name hides.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
