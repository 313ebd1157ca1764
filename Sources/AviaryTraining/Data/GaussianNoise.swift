import AviaryImage
import Glibc

/// Normally distributed numbers: Box and Muller, "A note on the generation of random normal
/// deviates" (1958).
enum GaussianNoise {
  /// Adds to every sample a number of its own.
  static func add(
    deviation: Float, to image: inout Image, using generator: inout SeededGenerator
  ) {
    unsafe image.withMutableFloats { values in
      var i = 0
      while i < values.count {
        // Above 0, so that it has a logarithm; each draw gives two numbers.
        let u = Double((generator.next() >> 11) + 1) * 0x1p-53
        let angle = 2 * Double.pi * Double(generator.next() >> 11) * 0x1p-53
        let radius = (-2 * log(u)).squareRoot()
        unsafe values[i] += deviation * Float(radius * cos(angle))
        if i + 1 < values.count {
          unsafe values[i + 1] += deviation * Float(radius * sin(angle))
        }
        i += 2
      }
    }
  }
}
