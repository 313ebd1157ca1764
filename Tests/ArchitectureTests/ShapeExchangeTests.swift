import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Slices, padding, repetition, concatenation and pooling in the files of every framework that has
/// them.
@Suite struct ShapeExchangeTests {
  /// What is done to six channels of images of any size, by name.
  private static let networks: [(name: String, build: @Sendable (Value) -> Value)] = [
    ("flip", { $0.applying(.stridedSlice(.flip(3))) }),
    ("steps", { $0.applying(.stridedSlice(StridedSlice(dimension: 2, start: 1, step: 2))) }),
    (
      "backwards",
      { $0.applying(.stridedSlice(StridedSlice(dimension: 3, start: -2, end: 1, step: -2))) }
    ),
    (
      "channels-backwards",
      { $0.applying(.stridedSlice(StridedSlice(dimension: 1, start: 4, end: 0, step: -1))) }
    ),
    ("first-rows", { $0.applying(.stridedSlice(StridedSlice(dimension: 2, end: 7))) }),
    ("tile", { $0.applying(.tile(Tile([1, 2, 3, 1]))) }),
    (
      "expand",
      { x in
        x.applying(.globalAveragePool).applying(
          .expand(Expand(to: .shapeOfSecondInput)), x)
      }
    ),
    (
      "expand-fixed",
      { $0.applying(.globalAveragePool).applying(.expand(Expand(to: .shape([-1, -1, 5, 4])))) }
    ),
    ("rows", { Value.concatenate([$0, $0.relu()], dimension: 2) }),
    ("columns", { Value.concatenate([$0, $0.relu(), $0], dimension: 3) }),
    ("symmetric", { $0.applying(.pad(Pad(PaddingAmounts(3, 0, 1, 4), .symmetric))) }),
    ("circular", { $0.applying(.pad(Pad(PaddingAmounts(3, 0, 1, 4), .circular))) }),
    ("value", { $0.applying(.pad(Pad(PaddingAmounts(3, 0, 1, 4), value: -0.5))) }),
    (
      "pad-channels",
      { $0.applying(.padDimension(PadDimension(dimension: 1, before: 1, after: 2, value: 2))) }
    ),
    (
      "mirror-channels",
      { $0.applying(.padDimension(PadDimension(dimension: 1, before: 3, after: 2, .reflect))) }
    ),
    (
      "join-channels",
      { $0.applying(.padDimension(PadDimension(dimension: 1, before: 3, after: 2, .circular))) }
    ),
    ("multiple", { $0.padded(toMultiple: 8).relu().cropped(toSizeOf: $0) }),
    ("multiples", { $0.padded(toMultiple: Size(4, 8), .reflect) }),
    ("multiple-edge", { $0.padded(toMultiple: 8, .edge) }),
    (
      "crop-scaled",
      { x in
        x.padded(toMultiple: 4, .edge).resize(.nearest, by: 2).cropped(toSizeOf: x, times: 2)
      }
    ),
    (
      "crop-columns",
      { x in
        x.applying(.pad(Pad(3))).applying(
          .cropToSize(CropToSize(scale: Ratio(1), axes: [.horizontal])), x)
      }
    ),
    ("ceil", { $0.applying(.maxPool(MaxPool(Pool(kernel: 3, stride: 2, roundsUp: true)))) }),
    (
      "ceil-padded",
      { x in
        x.applying(
          .maxPool(
            MaxPool(Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true))))
      }
    ),
    (
      "ceil-mean",
      { x in
        x.applying(
          .averagePool(
            AveragePool(
              Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true),
              countsPadding: false)))
      }
    ),
    (
      "ceil-mean-counting",
      { x in
        x.applying(
          .averagePool(
            AveragePool(
              Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true),
              countsPadding: true)))
      }
    ),
    ("adaptive-one", { $0.adaptivePool(.mean, to: .size(1)) }),
    ("adaptive-maximum", { $0.adaptivePool(.maximum, to: .size(1)) }),
    (
      "windows",
      { x in
        // Windows of 2 by 2, and back.
        x.padded(toMultiple: 2)
          .applying(
            .reshape(
              Reshape(dimensions: [
                .kept, .kept, .input(2, times: Ratio(1, 2)), .size(2),
                .input(3, times: Ratio(1, 2)), .size(2),
              ]))
          ).applying(.permute(Permute([0, 2, 4, 1, 3, 5])))
          .applying(.softmax(Softmax(dimension: 3)))
          .applying(.permute(Permute([0, 3, 1, 4, 2, 5])))
          .applying(
            .reshape(
              Reshape(dimensions: [
                .kept, .kept, .input(2, times: Ratio(2)), .input(4, times: Ratio(2)),
              ]))
          ).cropped(toSizeOf: x)
      }
    ),
  ]

  private static func graph(_ build: (Value) -> Value) throws -> Graph {
    try Graph(channels: 3) { x in
      [build(x.convolution("first", 6, kernel: 3)).activation(.tanh)]
    }
  }

  @Test(arguments: networks.map(\.name)) func onnx(_ name: String) throws {
    let network = try #require(Self.networks.first { $0.name == name })
    try ONNXRoundTrip.check(
      Self.graph(network.build), "shape.\(name)", sizes: [(12, 10), (9, 13)])
  }

  /// What ONNX cannot say is refused by name.
  @Test func onnxRefuses() throws {
    func problem(_ op: Op) throws -> String {
      let graph = try Self.graph { $0.applying(op) }
      let folder = try TemporaryFolder()
      do {
        try ONNXExport.write(
          graph: graph, weights: ONNXRoundTrip.source(graph, randomWeights(for: graph, seed: 1)),
          to: folder.file("model.onnx"))
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      try problem(.adaptivePool(AdaptivePool(.mean, to: .size(3)))).contains(
        "only where an image of one size divides"))
    #expect(
      try problem(
        .maxPool(MaxPool(Pool(kernel: 2, stride: 3, padding: .explicit(1), roundsUp: true)))
      ).contains("may begin behind the image"))
  }

  @Test func pytorch() throws {
    func line(_ op: Op) throws -> String {
      try PyTorchModule.source(
        graph: Self.graph { $0.applying(op) }, className: "Network", weightsFile: "weights.pt")
    }
    func expect(_ op: Op, _ text: String) throws {
      let source = try line(op)
      #expect(source.contains(text), "\(text) expected in \(source)")
    }
    try expect(.stridedSlice(.flip(3)), ".flip(3)")
    try expect(
      .stridedSlice(StridedSlice(dimension: 2, start: -2, end: 1, step: -2)),
      ".flip(2)[:, :, 1:-2:2]")
    try expect(.stridedSlice(StridedSlice(dimension: 1, start: 1, step: 3)), "[:, 1::3]")
    try expect(.tile(Tile([1, 2, 1, 3])), ".repeat(1, 2, 1, 3)")
    try expect(.pad(Pad(1, value: 2)), ", (1, 1, 1, 1), value=2.0)")
    try expect(.pad(Pad(1, .circular)), "mode=\"circular\"")
    try expect(.pad(Pad(1, .symmetric)), "pad_along(pad_along(")
    try expect(
      .padDimension(PadDimension(dimension: 1, before: 1, after: 2)),
      ", (0, 0, 0, 0, 1, 2))")
    try expect(.padToMultiple(PadToMultiple(8, .reflect)), "-x.shape[3] % 8")
    try expect(
      .adaptivePool(AdaptivePool(.mean, to: .size(Size(3, 4)))), ", (3, 4))")
    try expect(
      .adaptivePool(AdaptivePool(.maximum, to: .factor(Ratio(1, 4)))),
      "F.adaptive_max_pool2d(x, (x.shape[2] // 4, x.shape[3] // 4))")
    try expect(.maxPool(MaxPool(Pool(kernel: 3, stride: 2, roundsUp: true))), "ceil_mode=True")
  }

  @Test(arguments: [
    ("Permute op 1 1 a out 0=4", Op.permute(Permute([0, 3, 1, 2]))),
    ("Flip op 1 1 a out -23300=1,-1", .stridedSlice(.flip(3))),
    ("Tile op 1 1 a out 0=1 1=3", .tile(Tile([1, 1, 3, 1]))),
    ("Tile op 1 1 a out -23302=3,1,2,3", .tile(Tile([1, 1, 2, 3]))),
    ("Concat op 2 1 a b out 0=1", .concatenate(Concatenate(dimension: 2))),
    ("Concat op 2 1 a b out 0=-1", .concatenate(Concatenate(dimension: 3))),
    (
      "Pooling op 1 1 a out 0=0 1=3 2=2",
      .maxPool(MaxPool(Pool(kernel: 3, stride: 2, roundsUp: true)))
    ),
    (
      "Pooling op 1 1 a out 0=1 7=1 8=4 18=3",
      .adaptivePool(AdaptivePool(.mean, to: .size(Size(3, 4))))
    ),
    (
      "Padding op 1 1 a out 0=1 1=2 2=3 3=4 4=0 5=-0.5",
      .pad(Pad(PaddingAmounts(1, 3, 2, 4), value: -0.5))
    ),
  ])
  func ncnn(_ line: String, _ op: Op) throws {
    let folder = try TemporaryFolder()
    let lines = [
      "7767517", "3 4", "Input in 0 1 in 0=0 1=0 2=4", "Split split 1 2 in a b", line,
    ]
    let path = try folder.file("net.param", Array((lines.joined(separator: "\n") + "\n").utf8))
    _ = try folder.file("net.bin", [])
    let imported = try NCNNModel.graph(WeightsFile.read(path))
    #expect(imported.graph.nodes.map(\.op) == [op])
  }
}
