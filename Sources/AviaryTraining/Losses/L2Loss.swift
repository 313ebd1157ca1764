public import AviaryTensor

/// The mean of (result - target)².
public struct L2Loss: Loss {
  /// `l2`
  public let name = "l2"

  /// A loss without parameters.
  public init() {}

  /// There is nothing to get ready.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.mean(name, result, target) { ($0 * $0, 2 * $0) }
  }
}
