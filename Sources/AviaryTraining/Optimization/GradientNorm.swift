public import AviaryTensor

/// How long gradients are, taken together as one vector.
///
/// A number that is not finite anywhere makes the norm not finite: so this is also how a training
/// sees that it has failed.
public enum GradientNorm {
  /// The Euclidean norm over all elements of all gradients, which are float32.
  ///
  /// Summed in double precision, in the order of the names: always the same number for the same
  /// gradients.
  public static func of(_ gradients: [String: Tensor]) -> Double {
    var sum = 0.0
    for name in gradients.keys.sorted() {
      guard let gradient = gradients[name] else { continue }
      sum += unsafe gradient.withFloats { unsafe squares($0) }
    }
    return sum.squareRoot()
  }

  /// Shortens gradients that are longer than a limit to it, as PyTorch's `clip_grad_norm_` does.
  /// Those that are not finite stay as they are.
  ///
  /// - Returns: the norm before.
  @discardableResult
  public static func clip(_ gradients: inout [String: Tensor], to limit: Double) -> Double {
    let norm = of(gradients)
    // PyTorch's constant, which keeps the quotient finite.
    let factor = limit / (norm + 1e-6)
    if norm.isFinite, factor < 1 { gradients.multiply(by: Float(factor)) }
    return norm
  }

  /// The sum of squares, in eight sums side by side that the processor can do at once.
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
    // A list of its own: `keys` would hold the dictionary, so that every tensor would be copied.
    for name in Array(keys) {
      unsafe self[name]?.withMutableFloats { values in
        for i in values.indices { unsafe values[i] *= factor }
      }
    }
  }
}
