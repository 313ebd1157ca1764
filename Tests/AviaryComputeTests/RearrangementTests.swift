import AviaryGraph
import Testing

@Suite struct RearrangementTests {
  @Test(arguments: [[1, 1], [3, 5, 1], [16, 16], [16, 32, 17], [32, 16]], [1, 2])
  func concatenate(_ channels: [Int], _ pictures: Int) throws {
    let shapes = channels.map { [pictures, $0, 6, 5] }
    try expectEqual(.concatenate(Concatenate()), shapes[0], others: Array(shapes.dropFirst()))
    let graph = try Graph(channels: 3) { x in
      let parts = channels.enumerated().map { x.convolution("part.\($0)", $1, kernel: 3) }
      return [Value.concatenate(parts).convolution("last", 16, kernel: 3)]
    }
    try expectEqual(graph, [[pictures, 3, 6, 5]])
  }

  @Test(arguments: [(8, 0, 3), (8, 5, 3), (32, 16, 16), (48, 16, 32), (17, 1, 16), (32, 3, 16)])
  func slice(_ channels: Int, _ start: Int, _ count: Int) throws {
    for pictures in 1...2 {
      try expectEqualInEveryLayout(
        .slice(ChannelSlice(start: start, count: count)), [pictures, channels, 5, 6])
    }
  }

  /// Parts of one value that are written over while others are still needed.
  @Test func slicesInPlace() throws {
    for pictures in 1...2 {
      let graph = try Graph(channels: 3) { x in
        let whole = x.convolution("whole", 64, kernel: 3)
        let a = whole.applying(.slice(ChannelSlice(start: 0, count: 32))).activation(.sigmoid)
        let b = whole.applying(.slice(ChannelSlice(start: 32, count: 32))).activation(.tanh)
        let both = a + b
        return [
          both.convolution("last", 32, kernel: 3)
            + whole.applying(.slice(ChannelSlice(start: 16, count: 32)))
        ]
      }
      try expectEqual(graph, [[pictures, 3, 6, 5]])
    }
  }

  @Test(arguments: ChannelOrder.allCases, [1, 2, 3, 4])
  func pixelShuffle(_ order: ChannelOrder, _ factor: Int) throws {
    for channels in [1, 3, 4, 16] {
      try expectEqualInEveryLayout(
        .pixelShuffle(PixelShuffle(factor: factor, order: order)),
        [2, channels * factor * factor, 4, 5])
      try expectEqualInEveryLayout(
        .pixelUnshuffle(PixelUnshuffle(factor: factor, order: order)),
        [2, channels, 4 * factor, 3 * factor])
    }
  }

  @Test(arguments: PadMode.allCases)
  func pad(_ candidate: PadMode) throws {
    for amounts in [
      PaddingAmounts(1), PaddingAmounts(0, 3, 2, 1), PaddingAmounts(3, 0, 0, 0), PaddingAmounts(0),
    ] {
      for channels in [1, 3, 16, 17] {
        try expectEqualInEveryLayout(.pad(Pad(amounts, candidate)), [2, channels, 4, 5])
      }
    }
    // One column, which lies in no stretch.
    try expectEqual(.pad(Pad(PaddingAmounts(1, 0, 1, 0), candidate)), [1, 3, 4, 1])
  }

  @Test func padBeyondTheImage() throws {
    for candidate in [PadMode.zero, .edge] {
      try expectEqual(.pad(Pad(PaddingAmounts(5, 4, 7, 9), candidate)), [1, 3, 1, 1])
      try expectEqual(.pad(Pad(PaddingAmounts(5, 4, 7, 9), candidate)), [1, 17, 2, 3])
    }
  }

  @Test func crop() throws {
    for amounts in [PaddingAmounts(1), PaddingAmounts(0, 3, 2, 1), PaddingAmounts(0)] {
      for channels in [1, 3, 16, 17] {
        try expectEqualInEveryLayout(.crop(Crop(amounts)), [2, channels, 6, 7])
      }
    }
  }

  /// A small classifier's head: the elements in another shape, and products with matrices.
  @Test(arguments: [3, 16])
  func linear(_ channels: Int) throws {
    let graph = try Graph(channels: channels) { x in
      let flat = x.convolution("a", channels, kernel: 3).applying(.reshape(Reshape([0, -1])))
      let hidden = flat.linear("b", 33).relu().batchNormalization("norm")
      return [hidden.linear("c", 7, bias: false), x.linear("d", 5)]
    }
    // Matrices are made for one size of image.
    let input = Graph.Input(graph.inputs[0].name, channels: channels, size: Size(5, 6))
    let fixed = try Graph(inputs: [input], nodes: graph.nodes, outputs: graph.outputs)
    try expectEqual(fixed, [[2, channels, 5, 6]])
  }
}
