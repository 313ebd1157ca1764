public import AviaryTensor

/// The norm of all gradients together, as one vector.
///
/// A NaN or infinity anywhere makes the norm NaN or infinite, which is how a training detects that
/// it has failed.
public enum GradientNorm {
  /// The Euclidean norm over all elements of all gradients, which are float32.
  ///
  /// Summed in double precision, in the order of the names, so the same gradients always give the
  /// same number.
  public static func of(_ gradients: [String: Tensor]) -> Double {
    var sum = 0.0
    for name in gradients.keys.sorted() {
      guard let gradient = gradients[name] else { continue }
      sum += unsafe gradient.withFloats { unsafe squares($0) }
    }
    return sum.squareRoot()
  }

  /// Clips gradients to a maximum norm, as PyTorch's `clip_grad_norm_` does. Those that are not
  /// finite stay unchanged.
  ///
  /// - Returns: the norm before clipping.
  @discardableResult
  public static func clip(_ gradients: inout [String: Tensor], to limit: Double) -> Double {
    let norm = of(gradients)
    // PyTorch's constant, which keeps the quotient finite.
    let factor = limit / (norm + 1e-6)
    if norm.isFinite, factor < 1 { gradients.multiply(by: Float(factor)) }
    return norm
  }

  /// The sum of squares, in eight partial sums that the processor can compute at once.
  private static func squares(_ values: UnsafeBufferPointer<Float>) -> Double {
    var sums = SIMD8<Double>.zero
    let whole = values.count & ~7
    var i = 0
    let bytes = UnsafeRawBufferPointer(values)
    while i < whole {
      let eight = unsafe bytes.loadUnaligned(fromByteOffset: 4 * i, as: SIMD8<Float>.self)
      let wide = SIMD8<Double>(eight)
      sums += wide * wide
      i += 8
    }
    var rest = 0.0
    while i < values.count {
      let value = unsafe Double(values[i])
      rest += value * value
      i += 1
    }
    return sums.sum() + rest
  }
}

extension [String: Tensor] {
  /// Multiplies all elements, in place.
  mutating func multiply(by factor: Float) {
    // A separate list: `keys` would retain the dictionary, so that every tensor would be copied.
    for name in Array(keys) {
      unsafe self[name]?.withMutableFloats { values in
        for i in values.indices { unsafe values[i] *= factor }
      }
    }
  }
}

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

extension Tensor {
  /// Throws unless the tensor is float32 and has the given shape.
  ///
  /// - Parameters:
  ///   - shape: nil if no tensor is expected.
  ///   - thing: what the tensor is, for the message.
  func require(shape expected: [Int]?, _ thing: String) throws(TrainingError) {
    guard let expected else {
      throw .training(thing, expected: "none", found: "shape \(shape)")
    }
    guard shape == expected else {
      throw .training(thing, expected: "shape \(expected)", found: "shape \(shape)")
    }
    guard elementType == .float32 else {
      throw .training(thing, expected: "float32", found: elementType.rawValue)
    }
  }
}
