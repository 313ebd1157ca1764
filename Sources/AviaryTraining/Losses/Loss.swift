public import AviaryTensor

/// How far results are from what they ought to be, and in which direction they should go.
///
/// Losses that are networks themselves keep plans and parameters; so evaluating is mutating.
public protocol Loss {
  /// The name for logs, such as `l1`.
  var name: String { get }

  /// Gets ready for batches of a shape, so that what cannot be evaluated is found before a training
  /// begins: a loss that is a network itself makes its plans.
  ///
  /// - Parameter shape: of results: N, channels, height, width.
  /// - Throws: `TrainingError.patch` for results of a size that the loss cannot take; `ComputeError` for
  ///   want of memory.
  mutating func prepare(for shape: [Int]) throws

  /// The loss of a batch and its gradient.
  ///
  /// - Parameters:
  ///   - result: what the network gave, float32 N x channels x height x width.
  ///   - target: what it ought to give, of the same shape.
  mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue
}

/// A loss and where it comes from.
public struct LossValue: Sendable {
  /// The loss: the mean over all elements, unless the loss says otherwise.
  public var value: Double
  /// The derivative of `value` by every element of the result.
  public var gradient: Tensor

  /// A loss with its gradient.
  public init(_ value: Double, gradient: Tensor) {
    (self.value, self.gradient) = (value, gradient)
  }
}
