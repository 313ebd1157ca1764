public import AviaryTensor

/// The mean of |result - target|. Its gradient is 0 where they are equal.
public struct L1Loss: Loss {
  /// `l1`
  public let name = "l1"

  /// A loss without parameters.
  public init() {}

  /// Nothing to prepare.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.mean(name, result, target) { difference in
      let sign = Pointwise.Lanes(repeating: 1)
        .replacing(with: -1, where: difference .< 0)
        // NaN differences give NaN gradients.
        .replacing(with: difference, where: .!(difference .< 0) .& .!(difference .> 0))
      return (difference * sign, sign)
    }
  }
}
