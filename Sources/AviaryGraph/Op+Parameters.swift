/// What a parameter is for.
public enum ParameterRole: String, Codable, Hashable, Sendable {
  /// Learned in training.
  case weight
  /// A weight that training leaves as it is.
  case frozen
  /// A running mean or variance, which training keeps but does not learn.
  case statistic
  /// A counter or a buffer that can be made anew: optional when matching, made when writing.
  case bookkeeping
}

/// A tensor that a graph needs besides its inputs.
public struct Parameter: Hashable, Sendable {
  /// The canonical name, as PyTorch's state dict has it: `encoder.2.conv1.weight`.
  public let name: String
  /// The dimensions, in PyTorch's layout.
  public let shape: [Int]
  /// What it is for.
  public let role: ParameterRole
}

extension Op {
  /// A parameter of an operation, before it has a name of its own.
  struct Slot {
    /// The last part of the customary name: `weight`, `bias`, `running_mean`.
    var suffix: String
    var shape: [Int]
    var role: ParameterRole = .weight
  }

  /// The parameters that the operation has, for inputs of these shapes: in this order a node names
  /// them. The inputs are known to have passed `outputShape`.
  func slots(_ inputs: [[Int]]) -> [Slot] {
    func bias(_ size: Int, _ has: Bool) -> [Slot] {
      has ? [Slot(suffix: "bias", shape: [size])] : []
    }
    switch self {
    case .convolution(let c):
      return [
        Slot(
          suffix: "weight",
          shape: [c.filters, inputs[0][1] / max(c.groups, 1), c.kernel.height, c.kernel.width])
      ] + bias(c.filters, c.bias)
    case .transposedConvolution(let c):
      return [
        Slot(
          suffix: "weight",
          shape: [inputs[0][1], c.filters / max(c.groups, 1), c.kernel.height, c.kernel.width])
      ] + bias(c.filters, c.bias)
    case .linear(let features, let hasBias):
      return [Slot(suffix: "weight", shape: [features, inputs[0][inputs[0].count - 1]])]
        + bias(features, hasBias)
    case .batchNormalization(let normalization):
      let channels = [inputs[0][1]]
      return (normalization.scale ? [Slot(suffix: "weight", shape: channels)] : [])
        + (normalization.center ? [Slot(suffix: "bias", shape: channels)] : [])
        + [
          Slot(suffix: "running_mean", shape: channels, role: .statistic),
          Slot(suffix: "running_var", shape: channels, role: .statistic),
          Slot(suffix: "num_batches_tracked", shape: [], role: .bookkeeping),
        ]
    case .prelu(let perChannel):
      return [Slot(suffix: "weight", shape: [perChannel ? inputs[0][1] : 1])]
    case .layerNormalization(let dimensions, _):
      let shape = Array(inputs[0].suffix(dimensions))
      return [Slot(suffix: "weight", shape: shape), Slot(suffix: "bias", shape: shape)]
    default:
      return []
    }
  }

  /// The last parts of the parameters' customary names. They do not depend on the inputs.
  package var slotSuffixes: [String] {
    // Any inputs of sufficient rank will do.
    slots([[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1]]).map(\.suffix)
  }

  /// The number of multiplications and additions, counted as one, for inputs of these shapes.
  /// Counted are the operations that publications count: convolutions and products of matrices.
  func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    func product(_ shape: some Sequence<Int>) -> Double { shape.reduce(1) { $0 * Double($1) } }
    return switch self {
    case .convolution(let c):
      product(output) * Double(inputs[0][1] / c.groups * c.kernel.height * c.kernel.width)
    case .transposedConvolution(let c):
      product(inputs[0]) * Double(c.filters / c.groups * c.kernel.height * c.kernel.width)
    case .linear(let features, _): product(inputs[0]) * Double(features)
    case .matmul: product(output) * Double(inputs[0][inputs[0].count - 1])
    default: 0
    }
  }
}
