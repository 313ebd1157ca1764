import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Operations that sample, unfold and order, in the files of every framework that has them.
@Suite struct SamplingExchangeTests {
  /// Four channels in, what the operations make of them out.
  private static let graphs: [(name: String, make: @Sendable (Value) -> [Value])] = [
    (
      "unfold",
      { x in
        [
          x.applying(.unfold(Unfold(kernel: 3, padding: .explicit(PaddingAmounts(1))))),
          x.applying(
            .unfold(
              Unfold(
                kernel: Size(2, 3), stride: Size(2, 1), dilation: Size(1, 2),
                padding: .explicit(PaddingAmounts(1, 0, 2, 3))))),
          x.applying(.unfold(Unfold(kernel: 3, stride: 2, padding: .same))),
        ]
      }
    ),
    (
      "fold",
      { x in
        [
          x.applying(.fold(Fold(kernel: 2))),
          x.applying(
            .fold(
              Fold(
                kernel: Size(1, 2), stride: Size(2, 3), dilation: Size(1, 2),
                padding: PaddingAmounts(1, 2, -1, 0)))),
          // More rows than an output padding may add.
          x.applying(
            .fold(Fold(kernel: 2, stride: 2, dilation: 3, padding: PaddingAmounts(0, 1, -2, -4)))),
        ]
      }
    ),
    (
      "transposed",
      { x in
        [
          x.transposedConvolution("a", 6, kernel: 3, stride: 2, dilation: 2, groups: 2),
          x.transposedConvolution(
            "b", 4, kernel: 2, stride: 3, dilation: 2, groups: 4,
            padding: PaddingAmounts(1, 0, 0, -2)),
          x.transposedConvolution(
            "c", 3, kernel: 3, dilation: Size(2, 3), padding: PaddingAmounts(0, 2, -5, -4)),
        ]
      }
    ),
    (
      "sampling",
      { x in
        let grid = x.convolution("grid", 2, kernel: 3).activation(.tanh)
          .applying(.permute(Permute([0, 2, 3, 1])))
        return [
          x.gridSample(grid),
          x.gridSample(grid, GridSample(paddingMode: .border, alignCorners: true)),
          x.gridSample(grid, GridSample(paddingMode: .reflection)),
        ]
      }
    ),
    (
      "offsets",
      { x in
        let near = x.convolution("near", 2, kernel: 3)
          .applying(.permute(Permute([0, 2, 3, 1])))
        let fine = x.convolution("fine", 8, kernel: 3).pixelShuffle(2)
          .applying(.permute(Permute([0, 2, 3, 1])))
        return [
          x.gridSample(near, GridSample(coordinates: .offsets)),
          x.gridSample(fine, GridSample(paddingMode: .border, coordinates: .offsets)),
          x.gridSample(
            fine, GridSample(mode: .nearest, paddingMode: .reflection, coordinates: .offsets)),
        ]
      }
    ),
    (
      "order",
      { x in
        let places = x.applying(.sort(Sort(top: 2, dimension: 1, part: .indices)))
        let best = x.applying(.argReduction(ArgReduction(.argmax, dimension: 1)))
        return [
          x.applying(.gatherElements(GatherElements(dimension: 1)), places),
          x.applying(.gatherElements(GatherElements(dimension: 1)), best), best,
          x.applying(.sort(Sort(dimension: 3, descending: true))),
          x.applying(.sort(Sort(top: 3, dimension: 2, largest: false))),
          x.applying(
            .argReduction(ArgReduction(.argmin, dimension: 3, keepsDimensions: false))),
        ]
      }
    ),
  ]

  private static func graph(_ name: String) throws -> Graph {
    let make = try #require(graphs.first { $0.name == name }).make
    return try Graph(channels: 4) { x in make(x) }
  }

  @Test(arguments: ["unfold", "fold", "transposed", "sampling", "offsets", "order"])
  func onnx(_ name: String) throws {
    try ONNXRoundTrip.check(Self.graph(name), "sampling.\(name)", sizes: [(12, 10), (9, 13)])
  }

  @Test func dynamicConvolution() throws {
    let graph = try Graph(
      inputs: [
        Graph.Input("x", channels: 4), Graph.Input("kernels", channels: 6, size: Size(2, 9)),
      ],
      nodes: [
        Graph.Node("kernel", .reshape(Reshape([-1, 2, 3, 3])), inputs: [1]),
        Graph.Node(
          "node",
          .dynamicConvolution(
            DynamicConvolution(stride: 2, groups: 2, padding: .explicit(PaddingAmounts(1)))),
          inputs: [0, 2]),
      ], outputs: [Graph.Output("y", value: 3)])
    let text = try PyTorchModule.source(
      graph: graph, className: "Network", weightsFile: "weights.pt")
    #expect(text.contains("F.conv2d(x, "))
  }

  /// Whole numbers that are divided are refused: as float32 numbers they would not be rounded.
  @Test func integers() throws {
    func problem(_ kind: String) throws -> String? {
      var model = ONNXModelBuilder()
      model.port("x", [.number(1), .number(3), .name("h"), .name("w")], isInput: true)
      model.constant("two", integers: [2])
      model.node("ArgMax", name: "best", ["x"], ["best"], [("axis", .integer(1))])
      model.node(kind, name: "half", ["best", "two"], ["half"])
      model.node("Cast", name: "y", ["half"], ["y"], [("to", .integer(1))])
      model.port("y", [.number(1), .number(1), .name("h"), .name("w")], isInput: false)
      let folder = try TemporaryFolder()
      let path = folder.file("model.onnx")
      try model.write(to: path, record: nil, producer: "1")
      do throws(InterchangeError) {
        let file: WeightsFile
        do { file = try WeightsFile.read(path) } catch { return "\(error)" }
        _ = try ONNXNetwork.graph(file)
        return nil
      } catch {
        return error.description
      }
    }
    #expect(try problem("Mul") == nil)
    #expect(try problem("Div")?.contains("whole numbers are divided here") == true)
  }

  @Test func pytorch() throws {
    func text(_ name: String) throws -> String {
      try PyTorchModule.source(
        graph: Self.graph(name), className: "Network", weightsFile: "weights.pt")
    }
    #expect(try text("unfold").contains("unfold(x, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1))"))
    #expect(try text("fold").contains("fold(x, (2, 2), (1, 1), (1, 1), (0, 0, 0, 0))"))
    #expect(
      try text("transposed").contains(
        "nn.ConvTranspose2d(4, 6, 3, stride=2, padding=2, output_padding=1, groups=2, dilation=2)"))
    #expect(
      try text("sampling").contains(
        "F.grid_sample(x, y, mode=\"bilinear\", padding_mode=\"border\", align_corners=True)"))
    #expect(try text("order").contains(".argmax(1, keepdim=True).to(torch.float32)"))
  }

  @Test(arguments: [KerasModel.File.archive, .legacy])
  func kerasUnfold(_ kind: KerasModel.File) throws {
    let graph = try Graph(channels: 3) { x in
      [
        x.applying(
          .unfold(Unfold(kernel: Size(2, 3), padding: .explicit(PaddingAmounts(1, 0, 2, 1))))),
        x.applying(.unfold(Unfold(kernel: 3, stride: 2, padding: .same))),
      ]
    }
    let folder = try TemporaryFolder()
    let path = folder.file(kind == .archive ? "model.keras" : "model.h5")
    try KerasExport.model(graph).write(
      kind, name: "network", weights: ONNXRoundTrip.source(graph, [:]), record: nil, to: path)
    let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(path)))
    let input = randomTensor([1, 3, 11, 9], seed: 2)
    func outputs(_ graph: Graph, _ weights: [String: Tensor]) throws -> [Tensor] {
      let found = try naive(graph, weights: weights, inputs: [graph.inputs[0].name: input])
      return try graph.outputs.map { try #require(found[$0.name]) }
    }
    let expected = try outputs(graph, [:])
    let found = try outputs(imported.graph, ONNXRoundTrip.tensors(imported.weights))
    for (a, b) in zip(found, expected) { #expect(Agreement(a, expected: b).relative <= 1e-6) }
  }

  @Test func ncnn() throws {
    let folder = try TemporaryFolder()
    func imported(_ line: String, _ numbers: Int = 0) throws -> [Op] {
      let lines = ["7767517", "2 2", "Input in 0 1 in 0=0 1=0 2=4", line]
      let path = try folder.file("net.param", Array((lines.joined(separator: "\n") + "\n").utf8))
      _ = try folder.file("net.bin", [UInt8](repeating: 0, count: 4 * numbers))
      return try NCNNModel.graph(WeightsFile.read(path)).graph.nodes.map(\.op)
    }
    #expect(
      try imported("Unfold unfold 1 1 in out 1=3 11=2 3=1 4=1") == [
        .unfold(Unfold(kernel: Size(2, 3), padding: .explicit(PaddingAmounts(1)))),
        .reshape(Reshape([0, 0, -1])),
      ])
    // A flag before the weights, 4 · 2 · 2 · 2 of them, and no bias.
    #expect(
      try imported("Deconvolution up 1 1 in out 0=2 1=2 2=3 3=2 5=0 6=32", 33) == [
        .transposedConvolution(
          TransposedConvolution(outChannels: 2, kernel: 2, stride: 2, dilation: 3, bias: false))
      ])
  }
}
