public import AviaryTensor

/// The mean of |result - target|. Where they are equal its gradient is 0.
public struct L1Loss: Loss {
  /// `l1`
  public let name = "l1"

  /// A loss without parameters.
  public init() {}

  /// There is nothing to get ready.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.mean(name, result, target) { difference in
      let sign = Pointwise.Lanes(repeating: 1)
        .replacing(with: -1, where: difference .< 0)
        // A difference that is no number leaves a gradient that is none either.
        .replacing(with: difference, where: .!(difference .< 0) .& .!(difference .> 0))
      return (difference * sign, sign)
    }
  }
}
