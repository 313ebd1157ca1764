import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Concatenations whose parts are made where they belong.
@Suite struct SliceTests {
  /// How many steps are copies for concatenations.
  private func expectCopies(
    _ count: Int, _ graph: Graph, _ shape: [Int], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let comparison = try Comparison(graph, [shape])
    #expect(
      comparison.largestError <= 1e-5, "\(comparison.steps)", sourceLocation: sourceLocation)
    let copies = comparison.steps.filter { $0.operation == "concatenate" }
    #expect(copies.count == count, "\(comparison.steps)", sourceLocation: sourceLocation)
  }

  /// Blocks, written by convolutions of both kinds and by an activation.
  private static func blocks() throws -> Graph {
    try Graph(channels: 32) { x in
      let a = x.convolution("a", 32, kernel: 3)
      let b = a.convolution("b", 48, kernel: 3).relu()
      let c = b.convolution("c", 32, kernel: 3).activation(.tanh)
      let whole = Value.concatenate([a, b, c])
      return [whole.convolution("d", 32, kernel: 3) + a]
    }
  }

  @Test func partsAreWrittenInPlace() throws {
    try expectCopies(0, SliceTests.blocks(), [1, 32, 16, 12])
  }

  /// Of several images the channels of one do not lie together.
  @Test func severalPicturesAreCopied() throws {
    try expectCopies(3, SliceTests.blocks(), [2, 32, 16, 12])
  }

  /// A part of two wholes, or of one twice, has one place.
  @Test func sharedParts() throws {
    let graph = try Graph(channels: 32) { x in
      let a = x.convolution("a", 32, kernel: 3), b = a.convolution("b", 32, kernel: 3)
      let first = Value.concatenate([a, b]).convolution("c", 32, kernel: 3)
      let second = Value.concatenate([b, first, b, x]).convolution("d", 32, kernel: 3)
      return [second + a, b]
    }
    // b in the first whole, as it has its place in the second; and there b again. Of x there is a
    // copy in blocks in any case, which is made in its place.
    try expectCopies(2, graph, [1, 32, 16, 12])
  }

  /// Wholes that are parts, and parts that are summed and written over on the way.
  @Test func partsOfParts() throws {
    let graph = try Graph(channels: 32) { x in
      let a = x.convolution("a", 32, kernel: 3), b = x.convolution("b", 32, kernel: 3)
      let inner = Value.concatenate([a, b])
      let c = inner.convolution("c", 64, kernel: 3)
      let d = (c.convolution("d", 64, kernel: 3) + c).relu().activation(.tanh)
      let whole = Value.concatenate([inner, d, d.convolution("e", 16, kernel: 3)])
      return [whole.convolution("f", 32, kernel: 3), whole.relu()]
    }
    try expectCopies(0, graph, [1, 32, 16, 12])
  }

  /// Wholes that are results, in whole or in part; parts that are; wholes that are written over.
  @Test func outputs() throws {
    let graph = try Graph(channels: 2) { x in
      let a = x.activation(.tanh), b = x.activation(.sigmoid)
      let whole = Value.concatenate([a, b, x])
      let other = Value.concatenate([x.relu(), a.activation(.silu)])
      return [whole, b, other.activation(.tanh).activation(.sigmoid), other.relu(), a]
    }
    for shape in [[1, 2, 9, 7], [2, 2, 9, 7]] { try expectEqual(graph, [shape]) }
  }

  /// What is added to a part, and lies where the part is to be, is given out as well.
  @Test(arguments: [3, 16])
  func seenThroughViews(_ width: Int) throws {
    let graph = try Graph(channels: width) { x in
      let a = x.convolution("a", width, kernel: 3).activation(.tanh)
      let view = a.applying(.slice(ChannelSlice(start: 0, count: width))).applying(
        .slice(ChannelSlice(start: 0, count: width)))
      return [.concatenate([view + a, x.convolution("b", width, kernel: 3)]), a]
    }
    try expectEqual(graph, [[1, width, 6, 5]])
  }

  /// Random networks of parts and wholes.
  @Test(arguments: 0..<40)
  func anyOrder(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let width = [3, 16, 32][seed % 3]
    let graph = try Graph(channels: width) { x in
      var values = [x]
      for i in 0..<14 {
        let value = values[Int.random(in: 0..<values.count, using: &generator)]
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: values.append(value.convolution("\(i)", width, kernel: 3))
        case 1: values.append(value.activation(.tanh))
        case 2:
          let other = values[Int.random(in: 0..<values.count, using: &generator)]
          values.append(other.channels == value.channels ? value + other : other.relu())
        case 3 where value.channels > width:
          values.append(
            value.applying(.slice(ChannelSlice(start: value.channels - width, count: width))))
        default:
          let count = Int.random(in: 1...3, using: &generator)
          let others = (0..<count).map { _ in
            values[Int.random(in: max(0, values.count - 4)..<values.count, using: &generator)]
          }
          let parts = [value] + others
          if parts.reduce(0, { $0 + $1.channels }) <= 12 * width {
            values.append(.concatenate(parts))
          }
        }
      }
      return [values[values.count - 1], values[values.count / 2], values[values.count - 3]]
    }
    for shape in [[1, width, 6, 5], [2, width, 6, 5]] { try expectEqual(graph, [shape]) }
  }
}
