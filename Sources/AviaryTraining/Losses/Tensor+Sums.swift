internal import AviaryTensor

extension Tensor {
  /// A float32 tensor times a number.
  func multiplied(by factor: Double) -> Tensor {
    guard factor != 1 else { return self }
    var result = self
    let factor = Float(factor)
    unsafe result.withMutableFloats { values in
      for i in values.indices { unsafe values[i] *= factor }
    }
    return result
  }

  /// Adds another float32 tensor of this shape, times a number.
  mutating func add(_ other: Tensor, times factor: Double) {
    precondition(shape == other.shape, "tensors of one shape")
    let factor = Float(factor)
    unsafe withMutableFloats { sums in
      unsafe other.withFloats { values in
        for i in values.indices { unsafe sums[i] += values[i] * factor }
      }
    }
  }
}
