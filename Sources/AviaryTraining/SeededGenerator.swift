/// The random numbers of a training: xoshiro256** (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), seeded by SplitMix64 as its authors advise.
///
/// A training has one seed. What is drawn for step 1,000 does not depend on what was drawn before:
/// every purpose and step has its own stream, derived from the seed and a path of numbers. A
/// resumed training therefore draws what the interrupted one would have drawn, whatever the number
/// of threads.
public struct SeededGenerator: Hashable, Sendable {
  private var a: UInt64
  private var b: UInt64
  private var c: UInt64
  private var d: UInt64

  /// A stream of a seed.
  ///
  /// - Parameter path: identifies the stream: a number for the purpose, then the step, the place in
  ///   a batch.
  public init(seed: UInt64, _ path: UInt64...) {
    var mixed = seed
    func next() -> UInt64 {
      mixed &+= 0x9E37_79B9_7F4A_7C15
      var z = mixed
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    for number in path { mixed = next() ^ (number &* 0xD6E8_FEB8_6659_FD93) }
    (a, b, c, d) = (next(), next(), next(), next())
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotated(b &* 5, 7) &* 9
    let t = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotated(d, 45)
    return result
  }
}

// MARK: - Draws

/// Swift's standard library is not used, because its algorithms may change between versions, and
/// what a seed draws is part of a training's definition. For the same reason the generator is not a
/// `RandomNumberGenerator`. Up to version 0.2 the library's algorithms were used, as of Swift 6.2;
/// these draw the same numbers.
extension SeededGenerator {
  /// A uniform number from 0 up to, but not including, `bound`: Lemire, "Fast Random Integer
  /// Generation in an Interval" (2019).
  ///
  /// - Parameter bound: above 0.
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "nothing lies from 0 up to \(bound)")
    return Int(truncatingIfNeeded: integer(below: UInt64(bound)))
  }

  /// A uniform integer from a range.
  package mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + integer(below: range.count)
  }

  /// A number from a range: one of 2^53 + 1 evenly spaced values, including both ends.
  package mutating func number(in range: ClosedRange<Double>) -> Double {
    let steps: UInt64 = 1 << 53
    let drawn = integer(below: steps + 1)
    // Exactly the upper end, which rounding might exceed.
    if drawn == steps { return range.upperBound }
    return (range.upperBound - range.lowerBound) * (Double(drawn) * 0x1p-53) + range.lowerBound
  }

  /// A number from 0 up to, but not including, 1: the upper 53 bits.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// True or false, equally likely.
  package mutating func truth() -> Bool { next() & 1 << 17 == 0 }

  /// The elements in a uniformly random order: Fisher and Yates, from the front.
  package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    for place in elements.indices.dropLast() {
      elements.swapAt(place, place + integer(below: elements.count - place))
    }
    return elements
  }

  private mutating func integer(below bound: UInt64) -> UInt64 {
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      // This many of the 2^64 numbers would make the first values likelier than the others.
      let excess = (0 &- bound) % bound
      while product.low < excess { product = next().multipliedFullWidth(by: bound) }
    }
    return product.high
  }
}

/// Normally distributed numbers: Marsaglia and Tsang, "The ziggurat method for generating random
/// variables" (2000), with the layer and the place in it drawn from different bits, as Doornik
/// (2005) found that they must be.
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

/// The purposes of random numbers, as the first number of a generator's path: no two purposes may
/// share one.
enum RandomStream {
  /// Dropout masks: followed by the step and the part's index.
  static let dropout: UInt64 = 0x64_72_6F_70
}
