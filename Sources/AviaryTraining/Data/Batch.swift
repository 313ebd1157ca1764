public import AviaryTensor

/// What one step of a training works on.
public struct Batch: Sendable {
  /// What the network is given: float32, N x channels x height x width, values as its `Picture`
  /// says.
  public var input: Tensor
  /// What it ought to give: float32, of the shape of the network's output.
  public var target: Tensor

  /// A batch of pairs.
  public init(input: Tensor, target: Tensor) {
    (self.input, self.target) = (input, target)
  }
}
