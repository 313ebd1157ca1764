/// Normally distributed numbers: Marsaglia and Tsang, "The ziggurat method for generating random
/// variables" (2000), with the layer and the place in it drawn from different bits, as Doornik (2005)
/// found that they must be.
///
/// 99 of 100 numbers take only one random number and one product; and since it uses only sums,
/// products, square roots and `PortableMath`, the numbers are the same on every machine.
///
/// The area under one half of the curve exp(-x²/2) is divided into 256 layers of equal size: each
/// is a rectangle from 0 to the point where the curve leaves it, the lowest together with the
/// curve's tail. A point of a layer that also lies within the width of the layer above is below the
/// curve; only the others have to be compared with it.
struct Ziggurat: Sendable {
  /// The tables are built once.
  static let standard = Ziggurat()

  /// Where each layer ends; for the lowest, as if its tail were part of the rectangle.
  private let ends: [Double]
  /// The curve's height at these ends: the bottom of each layer, the top of the one below.
  private let heights: [Double]

  private static let layers = 256
  // For 256 layers: where the tail begins, the curve's height there, the area of a layer. These are
  // the values for which the highest layer ends at the curve's top, computed with fifty digits.
  private static let tail = 0x1.d3bb_4820_9ad33p+1
  private static let tailHeight = 0x1.4a60_5b6b_9f70dp-10
  private static let size = 0x1.4301_6a5a_43732p-8

  private init() {
    var ends = [Ziggurat.size / Ziggurat.tailHeight, Ziggurat.tail]
    var heights = [0, Ziggurat.tailHeight]
    for layer in 1..<Ziggurat.layers - 1 {
      let height = heights[layer] + Ziggurat.size / ends[layer]
      heights.append(height)
      ends.append((-2 * PortableMath.log(height)).squareRoot())
    }
    // Set the top exactly, which rounding would slightly miss.
    (self.ends, self.heights) = (ends + [0], heights + [1])
  }

  /// A number with mean 0 and deviation 1.
  func next(using generator: inout SeededGenerator) -> Double {
    while true {
      let bits = generator.next()
      let layer = Int(bits & 0xFF)
      // The upper 53 bits, from -1 to below 1.
      let x = Double(Int64(bitPattern: bits) >> 11) * 0x1p-52 * ends[layer]
      if x.magnitude < ends[layer + 1] { return x }
      if layer == 0 { return x < 0 ? -inTail(&generator) : inTail(&generator) }
      let height =
        heights[layer] + (heights[layer + 1] - heights[layer]) * generator.unit()
      if PortableMath.log(height) < -0.5 * x * x { return x }
    }
  }

  /// A number from the tail: Marsaglia (1964).
  private func inTail(_ generator: inout SeededGenerator) -> Double {
    while true {
      // Above zero, because zero has no logarithm.
      let x = -PortableMath.log(1 - generator.unit()) / Ziggurat.tail
      let y = -PortableMath.log(1 - generator.unit())
      if 2 * y > x * x { return Ziggurat.tail + x }
    }
  }
}
