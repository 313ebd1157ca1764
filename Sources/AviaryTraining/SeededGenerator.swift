/// The random numbers of a training: xoshiro256** (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), seeded by SplitMix64 as its authors advise.
///
/// A training has one seed. What is drawn for step 1,000 does not depend on what was drawn before:
/// every purpose and step has its own stream, derived from the seed and a path of numbers. A
/// resumed training therefore draws what the interrupted one would have drawn, whatever the number
/// of threads.
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
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
