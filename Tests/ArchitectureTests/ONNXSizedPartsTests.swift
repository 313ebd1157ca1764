import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Operators of ONNX's that only together are an operation of ours, and weights of which only one size
/// of image has as many features.
@Suite struct ONNXSizedPartsTests {
  /// A model with an image x of any size, whose result is y.
  private func read(
    channels: Int, size: Size? = nil, _ build: (inout ONNXModelBuilder) -> Void
  ) throws -> ImportedGraph {
    var model = ONNXModelBuilder()
    model.port(
      "x", [.number(1), .number(channels), .name("h"), .name("w")], isInput: true)
    build(&model)
    model.port("y", [.number(1)], isInput: false)
    let folder = try TemporaryFolder()
    let path = folder.file("model.onnx")
    try model.write(to: path, record: nil, producer: "1")
    var options = ReadingOptions()
    options.onnx.size = size.map { .only($0) }
    return try ONNXNetwork.graph(WeightsFile.read(path, options))
  }

  private func output(_ imported: ImportedGraph, _ x: Tensor) throws -> Tensor {
    try #require(
      try naive(
        imported.graph, weights: ONNXRoundTrip.tensors(imported.weights), inputs: ["x": x])["y"])
  }

  /// A product with a weight is refused where the features depend on the image, and read for the size
  /// that has as many.
  @Test func productsAreOfOneSize() throws {
    func build(_ model: inout ONNXModelBuilder) {
      model.constant("row", integers: [1, -1])
      model.constant("weight", floats: (0..<128).map { Double($0) / 64 }, shape: [64, 2])
      model.node("Reshape", name: "flat", ["x", "row"], ["flat"])
      model.node("MatMul", name: "product", ["flat", "weight"], ["y"])
    }
    let error = #expect(throws: InterchangeError.self) { try read(channels: 1, build) }
    #expect(
      error?.description.contains("--size WIDTHxHEIGHT") == true, "\(error?.description ?? "")")
    let imported = try read(channels: 1, size: Size(8, 8), build)
    #expect(imported.graph.inputs[0].size == Size(8, 8))
    let x = randomTensor([1, 1, 8, 8], seed: 1)
    let expected = (0..<2).map { column in
      (0..<64).reduce(0.0) { $0 + Double(x.floats[$1]) * Double(2 * $1 + column) / 64 }
    }
    for (a, b) in zip(try output(imported, x).floats, expected) {
      #expect(abs(Double(a) - b) <= 1e-5 * abs(b))
    }
  }

  /// Channels at a computed place, the same for all pixels.
  @Test(arguments: [0, 1]) func gatherByComputedIndices(_ keeps: Int) throws {
    let imported = try read(channels: 4) { model in
      model.node("GlobalAveragePool", name: "mean", ["x"], ["mean"])
      model.node(
        "ArgMax", name: "best", ["mean"], ["best"],
        [("axis", .integer(1)), ("keepdims", .integer(keeps))])
      model.node("Gather", name: "y", ["x", "best"], ["y"], [("axis", .integer(1))])
    }
    let x = randomTensor([1, 4, 5, 6], seed: 2)
    let channels = (0..<4).map { Array(x.floats[$0 * 30..<($0 + 1) * 30]) }
    let best = try #require(channels.max { $0.reduce(0, +) < $1.reduce(0, +) })
    let y = try output(imported, x)
    #expect(y.shape == [1] + [Int](repeating: 1, count: 3 + keeps) + [5, 6])
    #expect(y.floats == best)
  }

  /// Conversions to integers drop what is behind the point, and keep the sign.
  @Test func conversionsToIntegers() throws {
    func build(_ type: Int) throws -> ImportedGraph {
      try read(channels: 1) { model in
        model.constant("factor", floats: [3], shape: [])
        model.node("Mul", name: "large", ["x", "factor"], ["large"])
        model.node("Cast", name: "whole", ["large"], ["whole"], [("to", .integer(type))])
        model.node("Cast", name: "y", ["whole"], ["y"], [("to", .integer(1))])
      }
    }
    let x = randomTensor([1, 1, 4, 9], seed: 3)
    #expect(
      try output(build(7), x).floats == x.floats.map { ($0 * 3).rounded(.towardZero) })
    // Of eight bits larger numbers would come out as others.
    #expect(throws: InterchangeError.self) { try build(3) }
  }

  /// What is written as several operators is one operation again, with its weights under their names.
  @Test func operationsComeBack() throws {
    func ops(_ build: (Value) -> Value) throws -> (ops: [Op], names: [String]) {
      let graph = try Graph(channels: 8) { [build($0)] }
      let folder = try TemporaryFolder()
      let path = folder.file("model.onnx")
      try ONNXExport.write(
        graph: graph, weights: ONNXRoundTrip.source(graph, randomWeights(for: graph, seed: 1)),
        to: path)
      let file = try WeightsFile.read(path)
      return (try ONNXNetwork.graph(file).graph.nodes.map(\.op), file.tensors.names)
    }
    let group = GroupNormalization(groups: 4, epsilon: 1e-5)
    let normalized = try ops { $0.making(group.op, named: "norm", of: [$0]) }
    #expect(normalized.ops == [group.op])
    #expect(normalized.names == ["norm.weight", "norm.bias"])
    let operations: [Op] = [
      .roll(Roll(shifts: [-3], dimensions: [2])), .roll(Roll(shifts: [2], dimensions: [3])),
      .padToMultiple(PadToMultiple(16)), .padToMultiple(PadToMultiple(12, .reflect)),
      .padToMultiple(PadToMultiple(Size(16, 1), .circular)),
      .padToMultiple(PadToMultiple(Size(1, 6), .symmetric)),
      .reduce(Reduction(.unbiasedVariance, dimensions: [2, 3])), RealFFT(norm: .ortho).op,
    ]
    for op in operations {
      #expect(try ops { $0.applying(op) }.ops.first == op)
    }
  }
}
