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
