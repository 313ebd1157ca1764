package import AviaryTensor

/// Numbers that are the same on every machine for one seed (Steele, Lea, Flood: Fast Splittable
/// Pseudorandom Number Generators).
package struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  /// A generator.
  package init(seed: UInt64) { state = seed }

  /// The next number.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number from 0 up to 1, of 24 bits, so that it is a float32 exactly.
  package mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A float32 tensor of numbers spread evenly over a range.
  package mutating func tensor(_ shape: [Int], in range: ClosedRange<Float> = -1...1) -> Tensor {
    let count = shape.reduce(1, *)
    let values = (0..<count).map { _ in
      range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }
    guard let tensor = try? Tensor(shape: shape, values) else {
      preconditionFailure("shape \(shape) of a test")
    }
    return tensor
  }
}
