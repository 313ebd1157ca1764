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
}
