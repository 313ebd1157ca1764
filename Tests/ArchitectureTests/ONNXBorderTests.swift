import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import Testing

/// Borders that frameworks disagree about, out as ONNX and back, at odd and even sizes; check.py
/// holds ONNX Runtime against the same files.
@Suite struct ONNXBorderTests {
  private static let sizes = [(7, 8), (8, 7), (9, 11)]

  @Test(arguments: [1, 2, 3, 4], [1, 2, 3]) func same(_ kernel: Int, _ stride: Int) throws {
    let kernel = Size(kernel, max(kernel - 1, 1)), stride = Size(stride, max(stride - 1, 1))
    let name = "\(kernel.height)-\(stride.height)"
    let convolution = try Graph(channels: 2) {
      [$0.convolution("c", 3, kernel: kernel, stride: stride, padding: .same)]
    }
    try ONNXRoundTrip.check(convolution, "same-convolution-\(name)", sizes: ONNXBorderTests.sizes)
    for (op, kind) in [
      (Op.maxPool(MaxPool(Pool(kernel: kernel, stride: stride, padding: .same))), "max"),
      (
        .averagePool(
          AveragePool(Pool(kernel: kernel, stride: stride, padding: .same), countsPadding: false)),
        "mean"
      ),
    ] {
      // Windows of three and more that step further are refused.
      guard kernel.height < 3 || kernel.width >= stride.width else { continue }
      let pool = try Graph(channels: 2) { [$0.applying(op)] }
      try ONNXRoundTrip.check(pool, "same-\(kind)-\(name)", sizes: ONNXBorderTests.sizes)
    }
  }

  @Test func uneven() throws {
    let graph = try Graph(channels: 2) {
      [
        $0.convolution(
          "c", 4, kernel: Size(3, 2), stride: Size(2, 1), dilation: Size(1, 2), groups: 2,
          padding: .explicit(PaddingAmounts(0, 2, 1, 3))),
        $0.applying(
          .maxPool(
            MaxPool(Pool(kernel: 3, stride: 2, padding: .explicit(PaddingAmounts(0, 1, 1, 2)))))),
        $0.applying(
          .averagePool(
            AveragePool(
              Pool(kernel: 3, stride: 2, padding: .explicit(PaddingAmounts(0, 1, 1, 2))),
              countsPadding: true)
          )),
        $0.convolution("s", 2, kernel: 3, dilation: 2, padding: .same),
      ]
    }
    try ONNXRoundTrip.check(graph, "uneven", sizes: ONNXBorderTests.sizes)
  }

  /// Crops of all kinds; negative ones below and beyond the stride.
  @Test(
    arguments: [
      PaddingAmounts(0), PaddingAmounts(1), PaddingAmounts(1, 0, 2, 1), PaddingAmounts(0, 1, -1, 0),
      PaddingAmounts(1, 1, -1, -1),
      PaddingAmounts(0, 0, -2, -3), PaddingAmounts(0, 0, -5, 1), .keras(kernel: 3, stride: 2),
      .pytorch(padding: 1, outputPadding: 1),
    ]) func padding(_ padding: PaddingAmounts) throws
  {
    for stride in [1, 2, 3] {
      let graph = try Graph(channels: 4) {
        [
          $0.transposedConvolution(
            "t", 6, kernel: Size(4, 3), stride: Size(stride), groups: 2, padding: padding)
        ]
      }
      try ONNXRoundTrip.check(
        graph, "crops-\(padding.top)\(padding.left)\(padding.bottom)\(padding.right)-\(stride)",
        sizes: ONNXBorderTests.sizes)
    }
  }

  @Test func sharedWeightsPaddedOnce() throws {
    let graph = try Graph(channels: 2) { x in
      let once = x.transposedConvolution(
        "t", 2, kernel: 2, stride: 1, padding: PaddingAmounts(0, 0, 1, 1))
      return [
        once.transposedConvolution(
          "t", 2, kernel: 2, stride: 1, padding: PaddingAmounts(0, 0, -2, -2), shared: true)
      ]
    }
    // Its kernel is two tensors there: one of them longer.
    try ONNXRoundTrip.check(graph, "shared", sizes: [(5, 6)])
  }

  @Test(arguments: 0..<32) func random(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let graph = try Graph(channels: 3) { x in
      randomNetwork(x, steps: 6 + seed % 12, &generator)
    }
    do {
      try ONNXRoundTrip.check(graph, "random-\(seed)", sizes: [(9, 8)])
    } catch InterchangeError.target(_, let name, _) {
      // ONNX pools to two rows at a stated size only.
      let node = try #require(graph.nodes.first { $0.name == name })
      #expect(node.op.name == "adaptiveAveragePool")
    }
  }
}
