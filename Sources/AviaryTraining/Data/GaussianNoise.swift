import AviaryImage

/// Normally distributed noise.
enum GaussianNoise {
  /// Adds an independent random number to every sample.
  static func add(
    deviation: Float, to image: inout Image, using generator: inout SeededGenerator
  ) {
    let ziggurat = Ziggurat.standard
    unsafe image.withMutableFloats { values in
      for i in values.indices {
        unsafe values[i] += deviation * Float(ziggurat.next(using: &generator))
      }
    }
  }
}
