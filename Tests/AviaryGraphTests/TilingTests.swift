@testable import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// The tiling that is derived from a graph, proved with the oracle: tiles give what the whole
/// gives.
@Suite struct TilingTests {
  /// A network, an image's size, the side of the tiles, and the tiling known from a calculation by
  /// hand of what each layer sees.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var size: Size
    var tile: Int
    var tiling: Tiling
    var build: @Sendable (Value) -> Value

    init(
      _ name: String, _ size: Size, tile: Int, overlap: Int, multiple: Int = 1,
      _ build: @escaping @Sendable (Value) -> Value
    ) {
      (testDescription, self.size, self.tile, self.build) = (name, size, tile, build)
      tiling = .exact(overlap: overlap, multiple: multiple)
    }
  }

  static let cases = [
    Case("one pixel", Size(5, 7), tile: 2, overlap: 0) { $0.convolution("a", 2, kernel: 1).relu() },
    Case("three convolutions of 3", Size(23, 17), tile: 5, overlap: 3) { x in
      x.convolution("a", 3, kernel: 3).relu().convolution("b", 2, kernel: 3)
        .convolution("c", 1, kernel: 3)
    },
    Case("srcnn", Size(29, 31), tile: 8, overlap: 8) { x in
      x.convolution("a", 2, kernel: 9, padding: .same).relu()
        .convolution("b", 2, kernel: 5, padding: .same).convolution(
          "c", 1, kernel: 5, padding: .same)
    },
    Case("no padding", Size(29, 31), tile: 7, overlap: 16) { x in
      // Output pixel 0 sees input pixels 0 to 16: all that is needed lies at the end.
      x.convolution("a", 2, kernel: 9, padding: .valid).convolution(
        "b", 2, kernel: 5, padding: .valid
      )
      .convolution("c", 1, kernel: 5, padding: .valid)
    },
    Case("dilated", Size(23, 25), tile: 6, overlap: 6) { x in
      x.convolution("a", 4, kernel: 3, dilation: 2, groups: 2)
        .convolution("b", 2, kernel: Size(5, 3), dilation: Size(2, 4))
    },
    Case("lopsided borders", Size(19, 22), tile: 5, overlap: 4) { x in
      x.convolution("a", 2, kernel: 3, padding: .explicit(PaddingAmounts(2, 0, 0, 2)))
        .convolution("b", 2, kernel: Size(3, 4), padding: .explicit(PaddingAmounts(2, 1, 0, 2)))
    },
    Case("same, stride 2, odd", Size(37, 27), tile: 8, overlap: 4, multiple: 2) { x in
      x.convolution("a", 3, kernel: 3, stride: 2, padding: .same).relu()
        .convolution("b", 2, kernel: 3, padding: .same)
        .transposedConvolution("c", 2, kernel: 3, stride: 2)
    },
    Case("same, stride 2, even", Size(38, 28), tile: 8, overlap: 6, multiple: 2) { x in
      x.convolution("a", 3, kernel: 3, stride: 2, padding: .same).relu()
        .convolution("b", 2, kernel: 3, padding: .same)
        .transposedConvolution("c", 2, kernel: 3, stride: 2)
    },
    Case("stride 3, down only", Size(41, 38), tile: 9, overlap: 3, multiple: 3) { x in
      x.convolution("a", 3, kernel: 5, stride: 3, padding: .same)
    },
    Case("pooling, same", Size(33, 39), tile: 8, overlap: 4, multiple: 4) { x in
      x.maxPool(3, stride: 2, padding: .same)
        .applying(
          .averagePool(
            AveragePool(Pool(kernel: 2, stride: 2, padding: .same), countsPadding: false))
        )
        .transposedConvolution("up", 2, kernel: 4, stride: 4)
    },
    Case("two levels", Size(45, 35), tile: 8, overlap: 12, multiple: 4) { x in
      x.convolution("a", 2, kernel: 3).maxPool(2).convolution("b", 3, kernel: 3).maxPool(2)
        .convolution("c", 3, kernel: 3).relu()
        .transposedConvolution("d", 3, kernel: 3, stride: 2)
        .transposedConvolution("e", 2, kernel: 3, stride: 2).convolution("f", 1, kernel: 3)
    },
    Case("fsrcnn", Size(13, 15), tile: 4, overlap: 3) { x in
      x.convolution("a", 3, kernel: 3).prelu("p")
        .transposedConvolution(
          "b", 2, kernel: 9, stride: 3, padding: .pytorch(padding: 4, outputPadding: 2))
    },
    Case("kernel smaller than stride", Size(11, 12), tile: 3, overlap: 1) { x in
      x.transposedConvolution(
        "a", 2, kernel: 2, stride: 3, padding: .keras(kernel: 2, stride: 3)
      ).convolution("b", 2, kernel: 3)
    },
    Case("pixel shuffle", Size(13, 11), tile: 4, overlap: 2) { x in
      x.convolution("a", 8, kernel: 3).pixelShuffle(2).convolution("b", 2, kernel: 3)
    },
    Case("pixel unshuffle", Size(24, 36), tile: 6, overlap: 6, multiple: 3) { x in
      x.applying(.pixelUnshuffle(PixelUnshuffle(factor: 3, order: .tensorflow))).convolution(
        "a", 18, kernel: 3
      )
      .convolution("b", 18, kernel: 3).pixelShuffle(3, order: .tensorflow)
    },
    Case("padded and cropped", Size(22, 29), tile: 7, overlap: 4) { x in
      x.applying(.pad(Pad(4, .reflect))).convolution("a", 2, kernel: 5, padding: .valid)
        .applying(.crop(Crop(PaddingAmounts(1, 2, 3, 2)))).applying(
          .pad(Pad(PaddingAmounts(0, 1, 2, 1), .edge))
        )
        .applying(.crop(Crop(PaddingAmounts(0, 1, 2, 1))))
    },
    Case("mirrored after a convolution", Size(19, 25), tile: 6, overlap: 4) { x in
      // At the right border column 24 + 3 mirrors 24 - 3, which the convolution must have made
      // from 24 - 4.
      x.convolution("a", 2, kernel: 3).applying(.pad(Pad(PaddingAmounts(0, 0, 0, 3), .reflect)))
        .applying(.crop(Crop(PaddingAmounts(0, 3, 0, 0))))
    },
    Case("nearest", Size(9, 14), tile: 4, overlap: 0) { $0.resize(.nearest, by: 2) },
    Case("linear", Size(9, 14), tile: 4, overlap: 1) { x in
      x.resize(.linear, by: 2).convolution("a", 2, kernel: 3)
    },
    Case("bicubic", Size(13, 11), tile: 4, overlap: 2) {
      $0.resize(.cubic(a: -0.5), by: 3, edge: .symmetric)
    },
    Case("lanczos", Size(13, 15), tile: 5, overlap: 3) {
      $0.resize(.lanczos(lobes: 3), by: 2, edge: .symmetric)
    },
    Case("by three halves", Size(22, 25), tile: 8, overlap: 2, multiple: 2) { x in
      x.applying(
        .resize(Resize(.cubic(a: -0.75), to: .factor(Ratio(3, 2)), coordinates: .halfPixel)))
    },
    Case("asymmetric, by two thirds", Size(24, 27), tile: 6, overlap: 0, multiple: 3) { x in
      x.applying(
        .resize(Resize(.linear, to: .factor(Ratio(2, 3)), coordinates: .asymmetric)))
    },
    Case("halved smoothly", Size(36, 38), tile: 8, overlap: 4, multiple: 2) { x in
      x.applying(
        .resize(
          Resize(.cubic(a: -0.5), to: .factor(Ratio(1, 2)), edge: .symmetric, antialias: true)))
    },
    Case("axes apart", Size(24, 26), tile: 6, overlap: 6, multiple: 6) { x in
      // Down to a half and a third, and up again: tiles must begin at multiples of six.
      x.convolution("a", 3, kernel: 3, stride: Size(2, 3))
        .transposedConvolution("b", 2, kernel: Size(4, 3), stride: Size(2, 3))
    },
    Case("padded to a multiple", Size(23, 29), tile: 8, overlap: 4, multiple: 4) { x in
      x.padded(toMultiple: 4).convolution("a", 2, kernel: 3).cropped(toSizeOf: x)
    },
    Case("mirrored to a multiple", Size(27, 22), tile: 12, overlap: 6, multiple: 6) { x in
      x.padded(toMultiple: 6, .reflect).convolution("a", 2, kernel: 3).maxPool(3)
        .transposedConvolution("b", 2, kernel: 3, stride: 3).cropped(toSizeOf: x)
    },
    Case("repeated to a multiple, enlarged", Size(13, 18), tile: 4, overlap: 4, multiple: 4) { x in
      x.padded(toMultiple: 4, .edge).convolution("a", 2, kernel: 3).resize(.nearest, by: 2)
        .cropped(toSizeOf: x, times: 2)
    },
    Case("to a multiple inside", Size(26, 31), tile: 6, overlap: 6, multiple: 6) { x in
      // Half as large, a multiple of three is one of six.
      let half = x.convolution("a", 2, kernel: 3, stride: 2)
      return half.padded(toMultiple: 3, .symmetric).convolution("b", 2, kernel: 3)
        .cropped(toSizeOf: half)
    },
    Case("every other pixel", Size(23, 25), tile: 8, overlap: 2, multiple: 2) { x in
      x.convolution("a", 2, kernel: 3)
        .applying(.stridedSlice(StridedSlice(dimension: 2, start: 1, step: 2)))
        .applying(.stridedSlice(StridedSlice(dimension: 3, start: 1, step: 2)))
    },
    Case("pooling, rounded up", Size(26, 33), tile: 8, overlap: 2, multiple: 2) { x in
      x.applying(
        .maxPool(MaxPool(Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true))))
    },
    Case("adaptive pooling, even", Size(24, 32), tile: 8, overlap: 0, multiple: 4) { x in
      let pooled = x.adaptivePool(.maximum, to: .factor(Ratio(1, 4)))
      return x * pooled.applying(.resize(Resize(.nearest, to: .sizeOfSecondInput)), x)
    },
    Case("two paths", Size(24, 30), tile: 6, overlap: 6, multiple: 2) { x in
      let deep = x.convolution("a", 4, kernel: 3, stride: 2).relu().convolution("b", 4, kernel: 3)
        .transposedConvolution("c", 4, kernel: 4, stride: 2)
      let wide = x.convolution("d", 4, kernel: 5).applying(.slice(ChannelSlice(start: 1, count: 2)))
      return Value.concatenate([deep, wide, x * 0.5]).convolution("e", 2, kernel: 3)
    },
    Case("learned constants", Size(9, 11), tile: 4, overlap: 1) { x in
      // Neither a value that is the same for every image nor what follows from it is spoilt.
      let scale = x.learnedConstant("scale", [1, 2, 1, 1])
      return scale.applying(.activation(.sigmoid)) * x.convolution("a", 2, kernel: 3)
    },
    Case("channels last", Size(9, 11), tile: 4, overlap: 1) { x in
      x.convolution("a", 2, kernel: 3).applying(.permute(Permute([0, 2, 3, 1])))
        .applying(.linear(Linear(outFeatures: 3, bias: false)), parameters: ["weight"])
        .applying(.softmax(Softmax(dimension: 3))).applying(.permute(Permute([0, 3, 1, 2])))
    },
    Case("windows", Size(24, 36), tile: 12, overlap: 12, multiple: 12) { x in
      // A window is spoilt by one spoilt pixel, and spoils all of its own.
      x.convolution("a", 2, kernel: 3).windows(WindowPartition(Size(4, 6)))
        .applying(.permute(Permute([0, 1, 2, 4, 3])))
        .applying(.linear(Linear(outFeatures: 24, bias: false)), parameters: ["weight"])
        .applying(.permute(Permute([0, 1, 2, 4, 3]))).image(WindowReverse(Size(4, 6)))
    },
    Case("windows with margins", Size(16, 24), tile: 8, overlap: 4, multiple: 4) { x in
      x.windows(WindowPartition(4, margin: 1)).applying(.permute(Permute([0, 1, 2, 4, 3])))
        .applying(.linear(Linear(outFeatures: 16, bias: false)), parameters: ["weight"])
        .applying(.permute(Permute([0, 1, 2, 4, 3]))).image(WindowReverse(4))
    },
    Case("masked windows", Size(16, 24), tile: 8, overlap: 4, multiple: 4) { x in
      let windows = x.windows(WindowPartition(4))
      let scores = windows.applying(.matmul, windows.applying(.permute(Permute([0, 1, 2, 4, 3]))))
      return scores.applying(.shiftMask(ShiftMask(4, shift: Size(0, 1))))
        .applying(.softmax(Softmax(dimension: 4))).applying(.matmul, windows).image(
          WindowReverse(4))
    },
    Case("attention", Size(16, 24), tile: 8, overlap: 0, multiple: 4) { x in
      x.convolution("qkv", 6, kernel: 1).windowAttention("a", WindowAttention(heads: 2, window: 4))
    },
    Case("shifted attention", Size(16, 24), tile: 8, overlap: 4, multiple: 4) { x in
      x.convolution("qkv", 6, kernel: 1)
        .windowAttention("a", WindowAttention(heads: 1, window: 4, shift: 2))
    },
    Case("plain and shifted in turn", Size(32, 24), tile: 8, overlap: 8, multiple: 4) { x in
      (0..<4).reduce(x) { x, i in
        let attention = WindowAttention(
          heads: 1, window: 4, shift: Size(i % 2 * 2), maskValue: i == 1 ? -.infinity : -100)
        return x.convolution("qkv\(i)", 6, kernel: 1).windowAttention("a\(i)", attention) + x
      }
    },
    Case("shifted unlike along the axes", Size(16, 24), tile: 8, overlap: 8, multiple: 8) { x in
      x.convolution("qkv", 6, kernel: 3)
        .windowAttention("a", WindowAttention(heads: 2, window: Size(4, 8), shift: Size(3, 2)))
    },
    Case("overlapping attention", Size(16, 24), tile: 8, overlap: 4, multiple: 4) { x in
      x.windowAttention(
        "a", WindowAttention(heads: 1, window: 4, keyMargin: 1), keys: x * 0.5,
        values: x.convolution("v", 2, kernel: 1))
    },
  ]

  @Test(arguments: cases) func tilesGiveTheWhole(_ c: Case) throws {
    let graph = try Graph(channels: 2) { [c.build($0)] }
    #expect(try graph.tiling(height: c.size.height, width: c.size.width) == c.tiling)
    let weights = randomWeights(for: graph, seed: 11)
    let input = randomTensor([2, 2, c.size.height, c.size.width], seed: 12)
    let whole = try naive(graph, weights: weights, inputs: ["image": input])
    let parts = try naiveTiles(graph, weights: weights, input: input, tile: c.tile, whole: whole)
    for (name, expected) in whole {
      let agreement = Agreement(try #require(parts[name]), expected: expected)
      #expect(agreement.relative <= 1e-6, "\(agreement)")
    }
  }

  /// What sees the whole image, and why.
  @Test(arguments: [
    ("a slice counts places from the other end", Op.stridedSlice(.flip(2))),
    (
      "a slice counts places from the other end",
      .stridedSlice(StridedSlice(dimension: 3, start: 1, end: 9))
    ),
    ("circular padding takes pixels", .pad(Pad(1, .circular))),
    ("circular padding takes pixels", .padToMultiple(PadToMultiple(4, .circular))),
    ("the windows of adaptive pooling", .adaptivePool(AdaptivePool(.mean, to: .size(2)))),
    (
      "the windows of adaptive pooling",
      .adaptivePool(AdaptivePool(.mean, to: .factor(Ratio(1, 3))))
    ),
    ("tile repeats the whole image", .tile(Tile([1, 1, 2, 1]))),
  ])
  func seesTheWhole(_ reason: String, _ op: Op) throws {
    let graph = try Graph(channels: 2) { [$0.applying(op)] }
    guard case .whole(let found) = try graph.tiling(height: 16, width: 20) else {
      Issue.record("\(op): tiled")
      return
    }
    #expect(found.contains(reason), "\(found)")
    let channels = try Graph(channels: 2) { x in
      [
        x.applying(.stridedSlice(.flip(1))).applying(.tile(Tile([1, 2, 1, 1]))).applying(
          .padDimension(PadDimension(dimension: 1, before: 1, after: 2, .circular)))
      ]
    }
    #expect(try channels.tiling(height: 16, width: 20) == .exact(overlap: 0, multiple: 1))
  }

  /// The derivation asks for no more than is needed: with one step less, tiles give something else.
  @Test(arguments: cases) func lessOverlapIsNotEnough(_ c: Case) throws {
    guard case .exact(let overlap, let multiple) = c.tiling, overlap > 0 else { return }
    let graph = try Graph(channels: 2) { [c.build($0)] }
    let weights = randomWeights(for: graph, seed: 13)
    let input = randomTensor([1, 2, c.size.height, c.size.width], seed: 14)
    let whole = try naive(graph, weights: weights, inputs: ["image": input])
    do {
      let parts = try naiveTiles(
        graph, weights: weights, input: input, tile: c.tile, overlap: overlap - multiple,
        whole: whole)
      let agreement = Agreement(
        try #require(parts["output"]), expected: try #require(whole["output"]))
      #expect(agreement.relative > 1e-6)
    } catch GraphError.shape {
      // Too small a tile for the network.
    }
  }

  @Test func severalOutputs() throws {
    // As in networks with a head for each scale: the overlap serves the most demanding.
    let graph = try Graph(channels: 2) { x in
      let features = x.convolution("a", 4, kernel: 3).relu()
      return [
        features.convolution("x2", 8, kernel: 3).pixelShuffle(2),
        features.convolution("x3", 9, kernel: 5).pixelShuffle(3),
      ]
    }
    #expect(try graph.tiling(height: 20, width: 20) == .exact(overlap: 3, multiple: 1))
    let weights = randomWeights(for: graph, seed: 15)
    let input = randomTensor([1, 2, 17, 22], seed: 16)
    let whole = try naive(graph, weights: weights, inputs: ["image": input])
    let parts = try naiveTiles(graph, weights: weights, input: input, tile: 6, whole: whole)
    for name in ["output_0", "output_1"] {
      let agreement = Agreement(
        try #require(parts[name]), expected: try #require(whole[name]))
      #expect(agreement.relative <= 1e-6, "\(name): \(agreement)")
    }
  }

  @Test func networksThatRunWhole() throws {
    func reason(
      channels: Int = 2, _ build: (Value) -> Value
    ) throws -> String {
      let graph = try Graph(channels: channels) { [build($0)] }
      guard case .whole(let reason) = try graph.tiling(height: 64, width: 48) else { return "none" }
      return reason
    }
    #expect(
      try reason { $0 * $0.applying(.globalAveragePool) }
        == "globalAveragePool_1: global average pooling takes the whole image")
    #expect(
      try reason { $0 - $0.applying(.reduce(Reduction(.mean, dimensions: [2, 3]))) }
        == "reduce_1: a mean over the whole image")
    #expect(
      try reason { $0.applying(.reduce(Reduction(.maximum, dimensions: [1]))) } == "none")
    #expect(
      try reason { $0.applying(.softmax(Softmax(dimension: 3))) }
        == "softmax_1: softmax over the whole image"
    )
    #expect(try reason { $0.applying(.softmax(Softmax(dimension: 1))) } == "none")
    #expect(
      try reason { $0.applying(.roll(Roll(shifts: [1], dimensions: [2]))) }
        == "roll_1: roll takes the whole image")
    #expect(
      try reason {
        $0.applying(.reshape(Reshape([0, 0, -1]))).applying(.softmax(Softmax(dimension: 2)))
      } == "reshape_1: reshape takes the whole image")
    #expect(
      try reason {
        $0.convolution("a", 2, kernel: 3, stride: 2)
          .applying(.resize(Resize(.linear, to: .sizeOfSecondInput)), $0)
      } == "resize_1: a resize to another value's size")
    #expect(
      try reason {
        $0.applying(
          .resize(Resize(.linear, to: .factor(Ratio(2)), coordinates: .alignCorners)))
      } == "resize_1: a resize aligns the corners of the whole image")
    #expect(
      try reason { $0.windows(WindowPartition(4, .grid)).image(WindowReverse(4, .grid)) }
        == "windowPartition_1: windows are spread over the whole image")
    #expect(
      try reason(channels: 6) {
        $0.windowAttention("a", WindowAttention(heads: 1, window: 4, .grid))
      }.hasSuffix("windows are spread over the whole image"))
    // A roll alone is not known to be undone.
    #expect(
      try reason {
        $0.applying(.roll(Roll(shifts: [1], dimensions: [3]))).windows(WindowPartition(4))
          .image(WindowReverse(4))
      } == "roll_1: roll takes the whole image")
    // Pixels of neighbouring windows are mixed.
    #expect(
      try reason {
        $0.windows(WindowPartition(4)).applying(.softmax(Softmax(dimension: 2)))
          .image(WindowReverse(4))
      } == "softmax_1: softmax mixes pixels")
    #expect(
      try reason { $0.transposedConvolution("a", 2, kernel: 3, stride: Size(2, 1)) }
        == "output 'output' is scaled differently along its axes")
    #expect(
      try reason { x in
        (0..<13).reduce(x) { x, i in x.convolution("a\(i)", 1, kernel: 2, stride: 2, padding: .same)
        }
      } == "the network's strides multiply to more than 1024")
    #expect(
      try reason { x in
        (0..<40).reduce(x) { x, i in x.convolution("a\(i)", 1, kernel: 101, dilation: 2) }
      } == "output 'output' sees more than 7680 pixels")
  }

  @Test func fixedSizeRunsWhole() throws {
    let graph = try Graph(
      inputs: [.init("image", channels: 1, size: Size(64, 48))],
      nodes: [.init("a", .activation(.relu), inputs: [0])], outputs: [.init("output", value: 1)])
    #expect(
      try graph.tiling(height: 64, width: 48)
        == .whole(reason: "the network takes images of one size only"))
  }

  @Test func sizeThatTheNetworkCannotRunOn() throws {
    let graph = try Graph(channels: 1) { [$0.convolution("a", 1, kernel: 5, padding: .valid)] }
    #expect {
      try graph.tiling(height: 4, width: 64)
    } throws: {
      "\($0)"
        == "a: convolution: expected an input of at least 5 pixels a side, found [1, 1, 4, 64]"
    }
  }
}
