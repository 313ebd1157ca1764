import Testing

@testable import AviaryTraining

/// Normally distributed numbers.
@Suite struct ZigguratTests {
  @Test("numbers are those of the same method in Python, to the last bit")
  func values() {
    var generator = SeededGenerator(seed: 1, 2)
    let found = (0..<4).map { _ in Ziggurat.standard.next(using: &generator) }
    #expect(
      found == [
        -0x1.0586_c6f8_6193ap-1, 0x1.72bb_83f5_60ceep-1, 0x1.3a75_9383_1ccb6p-1,
        -0x1.be85_7f77_68a6cp-1,
      ])
  }

  @Test("as many lie between any two bounds as the normal distribution says")
  func distribution() {
    // Its cumulative function, from tables; the last bounds lie about the beginning of the tail.
    let shares: [(bound: Double, below: Double)] = [
      (-3, 0.001_349_898), (-2, 0.022_750_132), (-1, 0.158_655_254), (-0.5, 0.308_537_539),
      (-0.2, 0.420_740_291), (0, 0.5), (0.2, 0.579_259_709), (0.5, 0.691_462_461),
      (1, 0.841_344_746), (2, 0.977_249_868), (3, 0.998_650_102), (3.6, 0.999_840_891),
      (3.8, 0.999_927_652),
    ]
    var generator = SeededGenerator(seed: 9)
    let count = 100_000
    var below = [Int](repeating: 0, count: shares.count)
    for _ in 0..<count {
      let x = Ziggurat.standard.next(using: &generator)
      for i in shares.indices where x < shares[i].bound { below[i] += 1 }
    }
    for (share, found) in zip(shares, below) {
      let expected = share.below * Double(count)
      let deviation = (expected * (1 - share.below)).squareRoot()
      #expect(abs(Double(found) - expected) < 4 * deviation, "below \(share.bound): \(found)")
    }
  }
}
