/// What a parameter is for.
public enum ParameterRole: String, Codable, Hashable, Sendable {
  /// Learned in training.
  case weight
  /// A weight that training leaves as it is.
  case frozen
  /// A running mean or variance, which training keeps but does not learn.
  case statistic
  /// A counter or a buffer that can be made anew: optional when matching, made when writing.
  case nonPersistent
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
