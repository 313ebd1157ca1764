@testable import AviaryGraph
import Testing

/// What learned constants, gathers, windows and attention refuse.
@Suite struct AttentionOperationTests {
  private func shape(_ op: Op, _ inputs: [Int]...) -> String {
    do throws(ShapeProblem) { return "\(try op.outputShape(inputs))" } catch { return "\(error)" }
  }

  private func attributes(_ op: Op) -> String {
    do throws(GraphError) {
      try op.checkAttributes(node: "n")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func shapes() {
    let table = ConstantGather(.relativePosition(window: 2)).op
    #expect(shape(table, [9, 3]) == "[4, 4, 3]")
    #expect(shape(table, [8, 3]) == "expected at least 9 entries along dimension 0, found 8")
    let overlapping = ConstantGather(.overlappingPosition(window: 4, keyWindow: 6)).op
    #expect(shape(overlapping, [81, 1]) == "[16, 36, 1]")
    #expect(
      shape(overlapping, [40, 1]) == "expected at least 41 entries along dimension 0, found 40")
    #expect(
      shape(WindowPartition(4).op, [1, 2, 8, 6]) == "expected width divisible by 4, found 6")
    #expect(
      shape(WindowReverse(2).op, [1, 2, 2, 3, 5])
        == "expected windows of 4 pixels, [n, rows, columns, 4, channels], found shape "
        + "[1, 2, 2, 3, 5]")
    #expect(
      shape(ShiftMask(2, shift: 1).op, [1, 2, 2, 4, 5])
        == "expected scores of windows, [n, rows, columns, …, 4, 4], found shape [1, 2, 2, 4, 5]")
    let attention = WindowAttention(heads: 2, window: 2).op
    #expect(shape(attention, [1, 12, 4, 4]) == "[1, 4, 4, 4]")
    #expect(shape(attention, [1, 13, 4, 4]) == "expected channels divisible by 3, found 13")
    #expect(shape(attention, [1, 9, 4, 4]) == "expected channels divisible by 2, found 3")
    #expect(
      shape(attention, [1, 4, 4, 4], [1, 4, 4, 4])
        == "expected an image of queries, keys and values, or one of each, found 2 images")
  }

  @Test func ranges() {
    #expect(
      attributes(LearnedConstant([2, 0]).op) == "n: shape: expected 1 to 2147483647, found 0")
    #expect(
      attributes(ConstantGather(.list([1, 2, 3], shape: [2, 2])).op)
        == "n: shape: expected 3 elements, found [2, 2]")
    #expect(
      attributes(ShiftMask(4, shift: Size(0, 4)).op) == "n: shift: expected 0 to 3, found 4")
    #expect(
      attributes(ShiftMask(4, shift: 1, value: 1).op)
        == "n: value: expected a number below 0, found 1.0")
    // Windows that are spread over the image neither reach beyond themselves nor can be shifted.
    #expect(
      attributes(WindowPartition(4, .grid, margin: 1).op)
        == "n: margin: expected 0 to 0, found 1")
    #expect(
      attributes(WindowAttention(heads: 1, window: 4, .grid, shift: 2).op)
        == "n: shift: expected 0 to 0, found 2")
  }

  /// A window whose table would have more elements than there is memory for is refused before anything
  /// is made of it.
  @Test func hugeWindows() {
    let gather = ConstantGather(.relativePosition(window: 4_096)).op
    #expect(
      shape(gather, [1 << 27, 1])
        == "shape [16777216, 16777216, 1] has 2^48 elements or more")
  }
}
