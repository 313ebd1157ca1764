/// The random numbers of a training: xoshiro256** (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), seeded by SplitMix64 as its authors advise.
///
/// A training has one seed. What is drawn for step 1,000 does not depend on what was drawn before
/// it: every purpose and step has a stream of its own, made of the seed and a path of numbers. So a
/// resumed training draws what the interrupted one would have drawn, however many threads do it.
public struct SeededGenerator: Hashable, Sendable {
  private var a: UInt64
  private var b: UInt64
  private var c: UInt64
  private var d: UInt64

  /// A stream of a seed.
  ///
  /// - Parameter path: which stream: a number for the purpose, then the step, the place in a batch.
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

/// Not those of Swift's standard library, whose algorithms may change from version to version: what a
/// seed draws is part of what a training is. For that reason the generator is no
/// `RandomNumberGenerator` either. Up to version 0.2 the library's were used, as they were in Swift
/// 6.2; these draw the same numbers.
extension SeededGenerator {
  /// A number from 0 up to, not including, `bound`, all equally likely: Lemire, "Fast Random Integer
  /// Generation in an Interval" (2019).
  ///
  /// - Parameter bound: above 0.
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "nothing lies from 0 up to \(bound)")
    return Int(truncatingIfNeeded: integer(below: UInt64(bound)))
  }

  /// One of the numbers of a range, all equally likely.
  package mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + integer(below: range.count)
  }

  /// A number of a range: one of 2^53 + 1 at equal distances, both ends among them.
  package mutating func number(in range: ClosedRange<Double>) -> Double {
    let steps: UInt64 = 1 << 53
    let drawn = integer(below: steps + 1)
    // Rounding must not lead beyond it.
    if drawn == steps { return range.upperBound }
    return (range.upperBound - range.lowerBound) * (Double(drawn) * 0x1p-53) + range.lowerBound
  }

  /// A number from 0 up to, not including, 1: the upper 53 bits.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Heads or tails.
  package mutating func truth() -> Bool { next() & 1 << 17 == 0 }

  /// The elements in an order of which each is equally likely: Fisher and Yates, from the front.
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
      // So many of the 2^64 numbers would make the first ones likelier than the others.
      let excess = (0 &- bound) % bound
      while product.low < excess { product = next().multipliedFullWidth(by: bound) }
    }
    return product.high
  }
}
