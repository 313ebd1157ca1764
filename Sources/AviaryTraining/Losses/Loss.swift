public import AviaryTensor

/// The distance between results and targets, and its gradient.
///
/// Losses that are networks themselves keep plans and parameters, so evaluating is mutating.
public protocol Loss {
  /// The name for logs, such as `l1`.
  var name: String { get }

  /// Prepares for batches of a shape, so that what cannot be evaluated is found before a training
  /// starts: a loss that is itself a network makes its plans.
  ///
  /// - Parameter shape: of results: N, channels, height, width.
  /// - Throws: `TrainingError.patch` for results of a size that the loss cannot take;
  ///   `ComputeError` for lack of memory.
  mutating func prepare(for shape: [Int]) throws

  /// The loss of a batch and its gradient.
  ///
  /// - Parameters:
  ///   - result: the network's output, float32 N x channels x height x width.
  ///   - target: the expected output, of the same shape.
  mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue
}

/// A loss and its gradient.
public struct LossValue: Sendable {
  /// The loss: the mean over all elements, unless the loss says otherwise.
  public var value: Double
  /// The derivative of `value` with respect to every element of the result.
  public var gradient: Tensor

  /// A loss with its gradient.
  public init(_ value: Double, gradient: Tensor) {
    (self.value, self.gradient) = (value, gradient)
  }
}
