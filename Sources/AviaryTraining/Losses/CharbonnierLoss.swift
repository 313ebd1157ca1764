public import AviaryTensor

/// The mean of √((result - target)² + ε²): like L1, but smooth where differences are below ε.
///
/// Charbonnier, Blanc-Féraud, Aubert, Barlaud: Two Deterministic Half-Quadratic Regularization
/// Algorithms for Computed Imaging (1994).
public struct CharbonnierLoss: Loss {
  /// `charbonnier`
  public let name = "charbonnier"
  /// Differences below this count as their squares do.
  public let epsilon: Double

  /// - Parameter epsilon: above 0.
  /// - Throws: `TrainingError.recipe` for another number.
  public init(epsilon: Double) throws(TrainingError) {
    guard epsilon > 0, epsilon.isFinite else {
      throw .recipe(field: "charbonnier.epsilon", expected: "a number above 0", found: "\(epsilon)")
    }
    self.epsilon = epsilon
  }

  /// There is nothing to get ready.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    // Never 0, so that equal pixels do not divide by it.
    let square = max(Float(epsilon * epsilon), .leastNormalMagnitude)
    return try Pointwise.mean(name, result, target) { difference in
      let root = (difference * difference + square).squareRoot()
      return (root, difference / root)
    }
  }
}
