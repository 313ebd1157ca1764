/// The activations that people put between the layers of small networks, and that no weights show.
public enum Nonlinearity: String, Codable, CaseIterable, Hashable, Sendable {
  case relu, elu, silu, tanh

  /// The function.
  public var activation: Activation {
    switch self {
    case .relu: .relu
    case .elu: .elu(alpha: 1)
    case .silu: .silu
    case .tanh: .tanh
    }
  }
}
