import AviaryGraph

extension Activation {
  /// The function as an expression of Python's.
  ///
  /// - Parameter object: the operand as something of which a method can be taken.
  func python(_ x: String, _ object: String) -> String {
    switch self {
    case .relu: "F.relu(\(x))"
    case .leakyRelu(let slope): "F.leaky_relu(\(x), \(slope))"
    case .elu(let alpha): alpha == 1 ? "F.elu(\(x))" : "F.elu(\(x), \(alpha))"
    case .gelu(let approximate):
      approximate ? "F.gelu(\(x), approximate=\"tanh\")" : "F.gelu(\(x))"
    case .silu: "F.silu(\(x))"
    case .sigmoid: "torch.sigmoid(\(x))"
    case .tanh: "torch.tanh(\(x))"
    case .clamp(let minimum, let maximum): "\(object).clamp(\(minimum), \(maximum))"
    }
  }
}
