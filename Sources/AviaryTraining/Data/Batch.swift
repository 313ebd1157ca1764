public import AviaryTensor

/// The input and target of one training step.
public struct Batch: Sendable {
  /// What the network is given: float32, N x channels x height x width, values as its `Picture`
  /// says.
  public var input: Tensor
  /// The expected output: float32, with the shape of the network's output.
  public var target: Tensor

  /// A batch of pairs.
  public init(input: Tensor, target: Tensor) {
    (self.input, self.target) = (input, target)
  }
}
