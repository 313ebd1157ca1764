import AviaryTraining
import Testing

@Suite("seeded generator")
struct SeededGeneratorTests {
  @Test("equal paths draw equal numbers, others differ")
  func streams() {
    var first = SeededGenerator(seed: 1, 2, 3), second = SeededGenerator(seed: 1, 2, 3)
    var other = SeededGenerator(seed: 1, 2, 4)
    let numbers = (0..<8).map { _ in first.next() }
    #expect(numbers == (0..<8).map { _ in second.next() })
    #expect(numbers != (0..<8).map { _ in other.next() })
  }

  @Test("what a seed draws never changes: trainings of before are resumed by it")
  func draws() {
    var generator = SeededGenerator(seed: 7, 1, 2)
    #expect((0..<6).map { _ in generator.integer(below: 1000) } == [985, 333, 748, 634, 268, 757])
    // A bound for which a quarter of all 64-bit numbers are drawn again.
    #expect(
      (0..<4).map { _ in generator.integer(below: 3 << 61) } == [
        3_176_885_131_726_394_811, 3_807_135_069_111_879_083, 1_678_707_936_624_513_555,
        2_304_282_782_464_535_047,
      ])
    #expect((0..<3).map { _ in generator.integer(in: -2...2) } == [1, 2, -1])
    #expect(generator.number(in: 5...30) == 28.701959180445726)
    #expect(generator.number(in: -1...1) == 0.2830382741590747)
    #expect(generator.number(in: 4...4) == 4)
    #expect(generator.unit() == 0.9337555572723785)
    let truths = [false, true, false, true, false, false, true, false]
    #expect((0..<8).map { _ in generator.truth() } == truths)
    #expect(generator.shuffled([0, 1, 2, 3, 4, 5, 6, 7]) == [6, 7, 4, 1, 3, 5, 0, 2])
    #expect(generator.shuffled([Int]()) == [])
    #expect(generator.next() == 3_739_445_859_010_984_118)
  }

  @Test("ranges are kept, and all of them is drawn")
  func ranges() {
    var generator = SeededGenerator(seed: 3)
    var counts = [Int](repeating: 0, count: 5)
    for _ in 0..<5_000 { counts[generator.integer(in: -2...2) + 2] += 1 }
    #expect(counts.allSatisfy { 850...1150 ~= $0 }, "\(counts)")
    let numbers = (0..<1_000).map { _ in generator.number(in: 2...3) }
    #expect(numbers.allSatisfy { 2...3 ~= $0 })
    #expect((numbers.min() ?? 0) < 2.01 && (numbers.max() ?? 0) > 2.99)
  }
}
