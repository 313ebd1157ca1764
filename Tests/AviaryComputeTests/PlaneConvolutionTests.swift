import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Convolutions of few channels, which are done in vectors of pixels. Images are narrower and wider
/// than those vectors, than four of them, and than what a processor's cache keeps of all channels.
@Suite struct PlaneConvolutionTests {
  /// Checks a graph on one thread and on two, and that it has steps vectorised over pixels.
  private func expectPlanes(
    _ graph: Graph, _ shape: [Int], steps count: Int = 1, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for threads in [1, 2] {
      let comparison = try Comparison(
        graph, [shape], options: PlanOptions(exact: true), engine: Engine(threads: threads))
      #expect(
        comparison.largestError <= 1e-5, "\(what) \(shape): \(comparison.steps)",
        sourceLocation: sourceLocation)
      let found = comparison.steps.filter {
        $0.operation.hasPrefix("convolution (spatially vectorised")
      }
      #expect(
        found.count == count, "\(what) \(shape): \(comparison.steps)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: [1, 2, 3, 16], [1, 2, 3, 4, 5, 7, 12])
  func channelsAndFilters(_ channels: Int, _ outChannels: Int) throws {
    for kernel in [1, 3, 5] {
      let graph = try Graph(
        of: .convolution(
          Convolution(outChannels: outChannels, kernel: Size(kernel), padding: .same)),
        channels: [channels])
      for shape in [[1, channels, 9, 5], [2, channels, 18, 67], [3, channels, 5, 130]] {
        let comparison = try Comparison(graph, [shape], options: PlanOptions(exact: true))
        #expect(comparison.largestError <= 1e-5, "\(kernel) \(shape): \(comparison.steps)")
      }
    }
  }

  /// Borders that differ from edge to edge, or that there are none; kernels with gaps, and of
  /// unequal sides.
  @Test(arguments: [1, 2, 3, 9])
  func geometry(_ outChannels: Int) throws {
    for (kernel, dilation) in [
      (Size(3, 5), Size(1)), (Size(5, 2), Size(1)), (Size(3), Size(2, 3)), (Size(1, 7), Size(1)),
      (Size(4, 1), Size(3, 1)),
    ] {
      for padding in [Padding.same, .explicit(.none), .explicit(PaddingAmounts(2, 0, 1, 3))] {
        let graph = try Graph(
          of: .convolution(
            Convolution(
              outChannels: outChannels, kernel: kernel, dilation: dilation, padding: padding)),
          channels: [3])
        try expectPlanes(graph, [2, 3, 21, 23], "\(kernel) \(dilation) \(padding)")
      }
    }
  }

  /// The input in planes, in blocks, and with the channels of a pixel side by side.
  @Test(arguments: [3, 32, 35])
  func memoryFormats(_ channels: Int) throws {
    for kernel in [1, 3] {
      let graph = try Graph(channels: 24) { x in
        let wide = x.convolution("wide", channels, kernel: 3).activation(.tanh)
        return [wide.convolution("few", 2, kernel: Size(kernel))]
      }
      for shape in [[1, 24, 20, 21], [2, 24, 9, 40]] {
        let comparison = try Comparison(graph, [shape])
        #expect(comparison.largestError <= 1e-5, "\(shape): \(comparison.steps)")
      }
    }
  }

  /// Images so wide that they are done in tiles of columns.
  @Test func wide() throws {
    let graph = try Graph(channels: 40) { x in
      let a = x.convolution("a", 12, kernel: 5).prelu("a.prelu")
      return [a.transposedConvolution("b", 1, kernel: 5, stride: 2)]
    }
    try expectPlanes(graph, [1, 40, 17, 1_300])
  }

  /// Squares of pixels, cut at every edge or none; kernels smaller than the stride too.
  @Test(arguments: [1, 2, 3, 4, 5])
  func transposed(_ kernel: Int) throws {
    for stride in 2...4 {
      for outChannels in [1, 3] {
        for padding in [
          PaddingAmounts.none, .keras(kernel: kernel, stride: stride),
          .pytorch(padding: kernel / 2, outputPadding: stride - 1), PaddingAmounts(0, 1, 2, 0),
          PaddingAmounts(2, 0, -1, -2),
        ] {
          let c = TransposedConvolution(
            outChannels: outChannels, kernel: Size(kernel), stride: Size(stride), padding: padding)
          try expectEqual(.transposedConvolution(c), [2, 5, 18, 17])
        }
      }
    }
  }

  /// A network of them is one step, whatever stands between them that needs only one pixel.
  @Test func chain() throws {
    let graph = try Graph(channels: 1) { x in
      var y = x.convolution("feature", 20, kernel: 5).prelu("feature.prelu")
        .convolution("shrink", 5, kernel: 1).prelu("shrink.prelu", perChannel: false)
      for i in 0..<4 { y = y.convolution("map.\(i)", 5, kernel: 3).leakyRelu(0.1) }
      return [
        y.convolution("few", 2, kernel: 3).activation(.clamp(minimum: -0.2, maximum: 0.3))
          .convolution("expand", 20, kernel: 1).prelu("expand.prelu")
          .transposedConvolution("up", 1, kernel: 9, stride: 2)
      ]
    }
    for shape in [[1, 1, 40, 70], [3, 1, 17, 33], [1, 1, 3, 300], [2, 1, 1, 1]] {
      try expectPlanes(graph, shape)
      #expect(try Comparison(graph, [shape]).steps.count == 1)
    }
  }

  /// Nothing is left of what joins convolutions.
  @Test(arguments: [2, 3, 4])
  func shuffled(_ factor: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let y = x.convolution("a", 10, kernel: 3).relu()
        .convolution("b", 3 * factor * factor, kernel: 3).prelu("b.prelu").pixelShuffle(factor)
      let z = x.convolution("c", 2 * factor * factor, kernel: 3).pixelShuffle(factor)
      let sum =
        (x.convolution("d", 3 * factor * factor, kernel: 5).pixelShuffle(factor)
          + x.resize(.linear, by: factor))
      return [y, z.relu(), sum]
    }
    for shape in [[1, 3, 20, 21], [2, 3, 9, 70], [1, 3, 1, 2]] {
      for threads in [1, 2] {
        let comparison = try Comparison(
          graph, [shape], options: PlanOptions(exact: true), engine: Engine(threads: threads))
        #expect(comparison.largestError <= 1e-5, "\(shape): \(comparison.steps)")
        let names = Set(comparison.steps.map(\.operation))
        #expect(names.isDisjoint(with: ["pixelShuffle", "add", "prelu"]), "\(names.sorted())")
      }
    }
  }

  /// More than can be done at once.
  @Test func longChain() throws {
    let graph = try Graph(channels: 2) { x in
      var y = x
      for i in 0..<30 { y = y.convolution("\(i)", 2 + i % 4, kernel: 3).relu() }
      return [y]
    }
    try expectPlanes(graph, [1, 2, 31, 20], steps: 3)
  }

  /// What is needed elsewhere is written, and what follows it begins a new step.
  @Test func interruptedChain() throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 4, kernel: 3).relu()
      let b = a.convolution("b", 4, kernel: 3).relu().convolution("c", 4, kernel: 3)
      return [(a + b).convolution("d", 3, kernel: 3), b]
    }
    for shape in [[1, 3, 24, 40], [2, 3, 11, 9]] {
      let comparison = try Comparison(graph, [shape])
      #expect(comparison.largestError <= 1e-5, "\(comparison.steps)")
    }
  }

  @Test(arguments: [1, 3])
  func sums(_ outChannels: Int) throws {
    let graph = try Graph(channels: 8) { x in
      let a = x.resize(.nearest, by: 2).convolution("a", outChannels, kernel: 3)
      let b = x.transposedConvolution("b", outChannels, kernel: 3, stride: 2).relu()
      let c = (a + b).leakyRelu(0.2)
      return [c.convolution("c", outChannels, kernel: 3) + c]
    }
    for shape in [[1, 8, 20, 19], [2, 8, 7, 33]] { try expectEqual(graph, [shape]) }
  }

  /// PReLU joins convolutions of every kind, and is a step where they have no place for it.
  @Test(arguments: [4, 32])
  func prelu(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3).batchNormalization("norm").prelu("a.prelu")
      let b = a.convolution("b", width, kernel: 3, stride: 2).prelu("b.prelu", perChannel: false)
      let c = b.transposedConvolution("c", width, kernel: 4, stride: 2).prelu("c.prelu")
      let d = c.prelu("d.prelu").relu() + c
      return [(d.convolution("e", width, kernel: 3).prelu("e.prelu") + d).relu(), c]
    }
    for shape in [[1, 3, 12, 10], [2, 3, 8, 6]] { try expectEqual(graph, [shape]) }
  }
}
