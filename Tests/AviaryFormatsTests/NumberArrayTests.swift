import Testing

@testable import AviaryFormats

/// The arithmetic that sizes in ONNX files are calculated with, against NumPy's.
@Suite struct NumberArrayTests {
  private let rows = NumberArray([1, 2, 3, 4, 5, 6], shape: [2, 3])

  @Test func broadcasts() throws {
    let sum = try rows.combined(NumberArray([10, 20], shape: [2, 1]), +)
    #expect(sum == NumberArray([11, 12, 13, 24, 25, 26], shape: [2, 3]))
    let filled = try NumberArray(filled: 2, shape: [2, 3])
    #expect(try rows.combined(filled, *).elements == [2, 4, 6, 8, 10, 12])
    #expect(try filled.combined(filled, *).uniform == 4)
    #expect(throws: NumberProblem.self) { try rows.combined(NumberArray([1, 2]), +) }
    let chosen = try NumberArray([1, 0, 1]).selecting(rows, NumberArray([0], shape: []))
    #expect(chosen.elements == [1, 0, 3, 4, 0, 6])
  }

  @Test func movesElements() throws {
    #expect(try rows.transposed([1, 0]).elements == [1, 4, 2, 5, 3, 6])
    #expect(try rows.tiled([1, 2]).elements == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    #expect(
      try NumberArray([1, 2], shape: [2, 1]).expanded(to: [2, 2]).elements == [1, 1, 2, 2])
    let back = try rows.sliced([(first: 0, count: 2, step: 1), (first: 2, count: 2, step: -2)])
    #expect(back == NumberArray([3, 1, 6, 4], shape: [2, 2]))
    #expect(
      try NumberArray.concatenated([rows, rows], axis: -1).elements
        == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    #expect(try rows.gathered(NumberArray([-1, 0]), axis: 1).elements == [3, 1, 6, 4])
    #expect(
      try rows.gathered(at: NumberArray([1, 2, 0, 0], shape: [2, 2])).elements == [6, 1])
    let replaced = try rows.replacing(
      at: NumberArray([1], shape: [1, 1]), with: NumberArray([7, 8, 9], shape: [1, 3]))
    #expect(replaced.elements == [1, 2, 3, 7, 8, 9])
  }

  @Test func reduces() throws {
    let product = try rows.reduced([0], keepsDimensions: true) { $0.reduce(1, *) }
    #expect(product == NumberArray([4, 10, 18], shape: [1, 3]))
    #expect(try rows.reduced([], keepsDimensions: false) { $0.reduce(0, +) }.elements == [21])
    #expect(try NumberArray([0, 1, 1, 0], shape: [2, 2]).nonZero().elements == [0, 1, 1, 0])
    #expect(try rows.runningSum(axis: 1).elements == [1, 3, 6, 4, 9, 15])
    #expect(try NumberArray.range(from: 5, to: 0, by: -2).elements == [5, 3, 1])
  }

  @Test func limitsSizes() {
    #expect(throws: NumberProblem.self) { try NumberArray.range(from: 0, to: 1e12, by: 1) }
    #expect(throws: NumberProblem.self) { try NumberArray(filled: 0, shape: [1 << 30, 1 << 30]) }
    #expect(throws: NumberProblem.self) { try NumberArray(filled: 0, shape: [-1]) }
    // As large as an image, and yet of one element.
    let image = try? NumberArray(filled: 3, shape: [1, 64, 4_096, 4_096])
    #expect(image?.uniform == 3 && image?.storedCount == 1)
    #expect(throws: NumberProblem.self) { try image?.integers() }
  }

  @Test(
    "the elements of a slice are those of Python's",
    arguments: [
      (0, 5, 1, [0, 1, 2, 3, 4]), (1, -1, 1, [1, 2, 3]), (-2, 99, 1, [3, 4]), (3, 1, 1, []),
      (0, 5, 2, [0, 2, 4]), (-1, -99, -1, [4, 3, 2, 1, 0]), (4, 0, -3, [4, 1]), (0, 9, 50, [0]),
    ])
  func slices(_ start: Int, _ end: Int, _ step: Int, _ wanted: [Double]) throws {
    let part = try #require(ONNXReader.part(start, end, step, of: 5))
    #expect(try NumberArray([0, 1, 2, 3, 4]).sliced([part]).elements == wanted)
  }
}
