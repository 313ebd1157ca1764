public import AviaryTensor

/// The sum of the gradients of a batch's parts, so that a batch may be larger than memory; also
/// used for the running statistics after each part.
public struct GradientSum: Sendable {
  private var sums: [String: Tensor] = [:]
  private var count = 0

  /// An empty sum.
  public init() {}

  /// Adds the gradients of a part; all parts are of the same size.
  ///
  /// - Parameter gradients: by the parameters' names, float32; the same names and shapes each time.
  /// - Throws: `TrainingError.training` for other names or shapes than those of the first part.
  public mutating func add(_ gradients: [String: Tensor]) throws(TrainingError) {
    count += 1
    if count == 1 {
      sums = gradients
      return
    }
    guard gradients.count == sums.count else {
      throw .training(
        "gradients", expected: "\(sums.count) parameters", found: "\(gradients.count)")
    }
    for name in gradients.keys.sorted() {
      guard let gradient = gradients[name] else { continue }
      try gradient.require(shape: sums[name]?.shape, "the gradient of \(name)")
      unsafe sums[name]?.withMutableFloats { sum in
        unsafe gradient.withFloats { addend in
          for i in sum.indices { unsafe sum[i] += addend[i] }
        }
      }
    }
  }

  /// The mean of all parts. Resets the sum.
  public mutating func mean() -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    swap(&result, &sums)
    // Multiplying by one would only take time.
    if count > 1 { result.multiply(by: 1 / Float(count)) }
    count = 0
    return result
  }
}
