import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Learned constants, gathers, windows and attention in the files of other frameworks.
@Suite struct AttentionExchangeTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var build: @Sendable (Value) -> Value

    init(_ name: String, _ build: @escaping @Sendable (Value) -> Value) {
      (testDescription, self.build) = (name, build)
    }
  }

  static let cases = [
    Case("constants") { x in
      x * x.learnedConstant("gamma", [1, 6, 1, 1]) + x.learnedConstant("block.beta", [1, 1, 1, 1])
    },
    Case("gather") { x in
      // A table whose rows scale the channels that an index chooses.
      let table = x.learnedConstant("table", [4, 1, 1])
      let rows = table.applying(
        .constantGather(ConstantGather(.list([3, -1, 0, 0, 2, -4], shape: [6]))))
      return x * rows.applying(.reshape(Reshape([1, 6, 1, 1])))
    },
    Case("windows") { x in
      x.windows(WindowPartition(Size(2, 3))).applying(.activation(.tanh))
        .image(WindowReverse(Size(2, 3)))
    },
    Case("grid") { x in
      x.windows(WindowPartition(Size(2, 3), .grid)).applying(.permute(Permute([0, 1, 2, 4, 3])))
        .applying(.softmax(Softmax(dimension: 4))).applying(.permute(Permute([0, 1, 2, 4, 3])))
        .image(WindowReverse(Size(2, 3), .grid))
    },
    Case("margins") { x in
      // The first pixels of windows with margins are a shifted image.
      x.windows(WindowPartition(2, margin: Size(1, 0)))
        .applying(.reduce(Reduction(.sum, dimensions: [3], keepsDimensions: false)))
        .applying(.permute(Permute([0, 3, 1, 2])))
    },
    Case("attention") { x in
      x.windowAttention("attn", WindowAttention(heads: 2, window: 2))
    },
    Case("shifted attention") { x in
      x.windowAttention("attn", WindowAttention(heads: 1, window: 2, shift: 1))
    },
    Case("shifted along one axis") { x in
      x.windowAttention(
        "attn",
        WindowAttention(
          heads: 2, window: Size(2, 3), shift: Size(0, 2), scale: 0.5, positionBias: .none,
          maskValue: -.infinity))
    },
    Case("overlapping attention") { x in
      x.windowAttention(
        "attn", WindowAttention(heads: 2, window: 2, keyMargin: 1), keys: x * 0.5, values: x)
    },
  ]

  private static func graph(_ c: Case) throws -> Graph {
    try Graph(channels: 3) { x in
      let features = x.convolution("first", 6, kernel: 3)
      return [c.build(features).convolution("last", 2, kernel: 1)]
    }
  }

  /// Written as primitives for images of any size, and read back as those.
  @Test(arguments: cases) func onnx(_ c: Case) throws {
    try ONNXRoundTrip.check(
      Self.graph(c), "attention.\(c.testDescription.replacing(" ", with: "-"))",
      sizes: [(12, 18), (6, 12)])
  }

  /// A constant that is a layer's weight, there in another layout, and a value by itself.
  @Test func weightThatIsAValueToo() throws {
    let weight = (0..<9).map(Double.init)
    var model = ONNXModelBuilder()
    let shape: [ONNXModelBuilder.Dimension] = [.name("n"), .number(1), .number(3), .number(3)]
    model.port("x", shape, isInput: true)
    model.constant("w", floats: weight, shape: [3, 3])
    model.node("MatMul", name: "product", ["x", "w"], ["p"])
    model.node("Add", name: "sum", ["p", "w"], ["y"])
    model.port("y", shape, isInput: false)
    let folder = try TemporaryFolder()
    let path = folder.file("model.onnx")
    try model.write(to: path, record: nil, producer: "1")
    let imported = try ONNXNetwork.graph(WeightsFile.read(path))
    let identity = try Tensor(shape: [1, 1, 3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1] as [Float])
    let outputs = try naive(
      imported.graph, weights: ONNXRoundTrip.tensors(imported.weights), inputs: ["x": identity])
    #expect(try #require(outputs["y"]).floats == weight.map { Float(2 * $0) })
  }

  @Test func pytorch() throws {
    func text(_ name: String) throws -> String {
      let found = try #require(Self.cases.first { $0.testDescription == name })
      return try PyTorchModule.source(
        graph: Self.graph(found), className: "Network", weightsFile: "weights.pt")
    }
    #expect(try text("constants").contains("self.gamma = nn.Parameter(torch.zeros((1, 6, 1, 1)))"))
    #expect(try text("gather").contains("self.table[torch.tensor([3, -1, 0, 0, 2, -4])]"))
    #expect(try text("windows").contains("windows(self.first(x), (2, 3))"))
    #expect(try text("grid").contains("(2, 3), grid=True)"))
    #expect(try text("margins").contains("(2, 2), margin=(1, 0))"))
    let shifted = try text("shifted attention")
    #expect(shifted.contains("[relative_position((2, 2), (2, 2))]"))
    #expect(shifted.contains("(2, 2), (1, 1), -100)"))
    #expect(try text("shifted along one axis").contains("(2, 3), (0, 2), float('-inf'))"))
    #expect(
      try text("overlapping attention").contains("relative_position((2, 2), (4, 4), True)"))
  }

  /// Keras has no stock layer for any of them: each is refused by name.
  @Test(arguments: cases) func keras(_ c: Case) throws {
    #expect {
      try KerasExport.model(Self.graph(c))
    } throws: { error in
      guard case InterchangeError.target(let format, _, let why)? = error as? InterchangeError
      else { return false }
      return format == "a Keras model" && why.hasPrefix("no stock layer")
    }
  }
}
