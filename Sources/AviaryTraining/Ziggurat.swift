/// Normally distributed numbers: Marsaglia and Tsang, "The ziggurat method for generating random
/// variables" (2000), with the layer and the place in it drawn from different bits, as Doornik (2005)
/// found that they must be.
///
/// One random number and one product are enough for 99 of 100; and as nothing is used but sums,
/// products, square roots and `PortableMath`, the numbers are the same on every machine.
///
/// The area under one half of the curve exp(-x²/2) is cut into 256 layers of one size, each a
/// rectangle from 0 to where the curve leaves it, the lowest with the curve's tail. A point of a layer
/// that lies within the layer above lies below the curve; only others have to be compared with it.
struct Ziggurat: Sendable {
  /// Tables are made once.
  static let standard = Ziggurat()

  /// Where each layer ends; the lowest one's as if its tail were part of the rectangle.
  private let ends: [Double]
  /// The curve's height at these ends: the bottom of each layer, the top of the one below.
  private let heights: [Double]

  private static let layers = 256
  // For 256 layers: where the tail begins, the curve's height there, the size of a layer. Of the
  // numbers with which the highest layer ends at the curve's top, found with fifty digits.
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
    // The top, which rounding would miss by a little.
    (self.ends, self.heights) = (ends + [0], heights + [1])
  }

  /// A number of mean 0 and deviation 1.
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

  /// A number beyond where the tail begins: Marsaglia (1964).
  private func inTail(_ generator: inout SeededGenerator) -> Double {
    while true {
      // Above zero, whose logarithm there is none of.
      let x = -PortableMath.log(1 - generator.unit()) / Ziggurat.tail
      let y = -PortableMath.log(1 - generator.unit())
      if 2 * y > x * x { return Ziggurat.tail + x }
    }
  }
}
