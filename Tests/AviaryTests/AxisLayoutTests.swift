@testable import Aviary
import AviaryGraph
import Testing

/// How images are padded.
@Suite struct AxisLayoutTests {
  /// Four pixels, 7 before and 9 after, as `numpy.pad` does it.
  @Test(arguments: [
    (ImageSpec.Padding.edge, [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]),
    (.reflect, [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0]),
    (.symmetric, [1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3, 3]),
    (.zero, [-1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1]),
  ])
  func paddings(_ padding: ImageSpec.Padding, _ expected: [Int]) {
    let rule = SizeRule(
      scale: Ratio(1), multiple: 1, exactMultiple: 20, shrinkage: 14, minimum: 1)
    let layout = AxisLayout(size: 4, ratio: Ratio(1), rule: rule, padding: padding)
    #expect(layout.before == 7 && layout.padded == 20)
    #expect((0..<20).map { layout.source($0) ?? -1 } == expected)
    var line: [Float] = [10, 11, 12, 13]
    var target = [Float](repeating: -5, count: 20)
    unsafe line.withUnsafeMutableBufferPointer { line in
      unsafe target.withUnsafeMutableBufferPointer { target in
        guard let line = line.baseAddress, let target = target.baseAddress else { return }
        unsafe layout.gather(line, from: 0, to: target, count: 20, factor: 2, offset: 1)
      }
    }
    #expect(target == expected.map { $0 < 0 ? 1 : Float(10 + $0) * 2 + 1 })
    // Every stretch is made of the pixels that it says, and of no others.
    for start in 0..<20 {
      for length in 1...20 - start {
        let span = AxisLayout.Span(start: start, length: length, output: 0..<1)
        let places = (start..<start + length).compactMap { layout.source($0) }
        guard let first = places.min(), let last = places.max() else { continue }
        #expect(layout.sources(span) == first..<last + 1)
      }
    }
  }

  @Test func whatFitsIsLeftAsItIs() {
    var rule = SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 8, shrinkage: 4, minimum: 8)
    (rule.period, rule.exactResidues) = (8, [4])
    func exact(_ size: Int) -> AxisLayout? {
      AxisLayout.exact(size: size, ratio: Ratio(1), rule: rule, padding: .edge)
    }
    let fitting = exact(28)
    #expect(fitting?.padded == 28 && fitting?.before == 0 && fitting?.skip == 0)
    #expect(fitting?.paddedOutput == 28)
    #expect(exact(25)?.padded == 28)
    // The usual layout: two pixels of the rim are lost at either end.
    #expect(AxisLayout(size: 28, ratio: Ratio(1), rule: rule).padded == 32)
  }
}
