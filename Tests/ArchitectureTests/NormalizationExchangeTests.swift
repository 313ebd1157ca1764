import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Normalisations in the files of every framework that has them.
@Suite struct NormalizationExchangeTests {
  private static let normalizations: [Op] = [
    GroupNormalization(groups: 3).op,
    GroupNormalization(groups: 2, epsilon: 0.01, scale: true, center: false).op,
    GroupNormalization(groups: 6, scale: false, center: true).op,
    GroupNormalization(groups: 1, scale: false, center: false).op,
    InstanceNormalization(epsilon: 0.001).op,
    InstanceNormalization(affine: false).op,
    LayerNormalization(first: 1).op,
    LayerNormalization(first: 1, epsilon: 1e-3, center: false).op,
  ]

  /// Kinds that ONNX says by their formulas.
  private static let ofONNX: [Op] = [
    LayerNormalization(first: 1, scale: false).op,
    LayerNormalization(.biasFree, first: 1).op,
    LayerNormalization(.rms, first: 1, center: true).op,
    LayerNormalization(.rms, first: 1, addsEpsilonToRoot: true).op,
    LayerNormalization(.l2, first: 1).op,
  ]

  /// Kinds that Keras has a class for, and weights that it can leave out.
  private static let ofKeras: [Op] = [
    LayerNormalization(first: 1, scale: false).op,
    LayerNormalization(first: 1, scale: false, center: false).op,
    LayerNormalization(.rms, first: 1).op,
    LayerNormalization(.l2, first: 1, epsilon: 1e-6).op,
    .softmax(Softmax(logarithm: true)),
  ]

  /// Kinds that none of Keras's layers computes, and why.
  private static let refused: [(Op, String)] = [
    (
      LayerNormalization(.biasFree, first: 1).op,
      "no layer divides by the deviation without subtracting the mean"
    ),
    (
      LayerNormalization(.rms, first: 1, addsEpsilonToRoot: true).op,
      "Keras's RMSNormalization has a weight, no bias, and epsilon under the root"
    ),
    (
      LayerNormalization(.l2, first: 1).op,
      "Keras's UnitNormalization has neither weight nor bias, and an epsilon of 1e-6"
    ),
    (
      .reduce(Reduction(.variance, dimensions: [2, 3])),
      "Keras's layers reduce images to one pixel, by mean or maximum"
    ),
  ]

  /// Six channels, normalised between two convolutions.
  private static func graph(_ op: Op) throws -> Graph {
    try Graph(channels: 3) { x in
      let features = x.convolution("first", 6, kernel: 3)
      let normalized = features.applying(
        op, parameters: op.slotSuffixes.map { "norm.\($0)" })
      return [normalized.relu().convolution("last", 2, kernel: 1)]
    }
  }

  /// What a graph gives, by the oracle.
  private static func output(
    _ graph: Graph, _ weights: [String: Tensor], _ input: Tensor
  ) throws -> Tensor {
    let outputs = try naive(graph, weights: weights, inputs: [graph.inputs[0].name: input])
    return try #require(outputs[graph.outputs[0].name])
  }

  @Test(arguments: normalizations + ofONNX)
  func onnx(_ op: Op) throws {
    try ONNXRoundTrip.check(
      Self.graph(op), "normalization.\(op.name).\(op.slotSuffixes.count).\(op.attributes.count)",
      sizes: [(12, 10), (9, 13)])
  }

  /// A normalisation that is written by its formula is read as one operation.
  @Test(arguments: ofONNX.dropLast()) func readAsOneOperation(_ op: Op) throws {
    let folder = try TemporaryFolder()
    let graph = try Self.graph(op)
    let weights = randomWeights(for: graph, seed: 3)
    try ONNXExport.write(
      graph: graph, weights: ONNXRoundTrip.source(graph, weights), to: folder.file("model.onnx"))
    let imported = try ONNXNetwork.graph(WeightsFile.read(folder.file("model.onnx")))
    guard case .layerNormalization(var expected) = op else { return }
    (expected.scale, expected.center) = (false, false)
    #expect(imported.graph.nodes.contains { $0.op == expected.op })
    #expect(!imported.graph.nodes.contains { $0.op == .activation(.sqrt) })
  }

  @Test(arguments: refused) func refusedByKeras(_ op: Op, _ why: String) throws {
    do {
      _ = try KerasExport.model(Self.graph(op))
      Issue.record("\(op)")
    } catch InterchangeError.target(_, _, let found) {
      #expect(found == why)
    }
  }

  @Test(arguments: normalizations + ofKeras, [KerasModel.File.archive, .legacy])
  func keras(_ op: Op, _ kind: KerasModel.File) throws {
    let graph = try Self.graph(op)
    let weights = randomWeights(for: graph, seed: 11)
    let folder = try TemporaryFolder()
    let path = folder.file(kind == .archive ? "model.keras" : "model.h5")
    try KerasExport.model(graph).write(
      kind, name: "network", weights: ONNXRoundTrip.source(graph, weights), record: nil, to: path)
    let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(path)))
    let input = randomTensor([1, 3, 11, 9], seed: 2)
    let agreement = Agreement(
      try Self.output(
        imported.graph, try ONNXRoundTrip.tensors(imported.weights), input),
      expected: try Self.output(graph, weights, input))
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test func pytorch() throws {
    func text(_ op: Op) throws -> String {
      try PyTorchModule.source(
        graph: Self.graph(op), className: "Network", weightsFile: "weights.pt")
    }
    #expect(
      try text(GroupNormalization(groups: 3).op).contains("nn.GroupNorm(3, 6, eps=1e-05)"))
    #expect(
      try text(GroupNormalization(groups: 2, scale: true, center: false).op)
        .contains("F.group_norm("))
    #expect(
      try text(InstanceNormalization().op)
        .contains("nn.InstanceNorm2d(6, eps=1e-05, affine=True)"))
    #expect(try text(InstanceNormalization(affine: false).op).contains("F.instance_norm("))
    #expect(
      try text(LayerNormalization(first: 1).op)
        .contains(", \"layer\", (1,), 1e-05, "))
    #expect(
      try text(LayerNormalization(.l2, first: 1).op).contains(", dim=1, eps=1e-12)"))
    #expect(try text(.softmax(Softmax(logarithm: true))).contains(".log_softmax(1)"))
    #expect(
      try text(.reduce(Reduction(.product, dimensions: [2, 3])))
        .contains(".prod(3, keepdim=True).prod(2, keepdim=True)"))
  }

  @Test(arguments: [
    (
      "GroupNorm norm 1 1 in out 0=2 1=4 2=1.000000e-02 3=1",
      GroupNormalization(
        groups: 2, epsilon: 0.01
      ).op
    ),
    (
      "GroupNorm norm 1 1 in out 0=4 1=4 3=0",
      GroupNormalization(
        groups: 4, epsilon: 0.001, scale: false, center: false
      ).op
    ),
    (
      "InstanceNorm norm 1 1 in out 0=4 1=1.000000e-02 2=1",
      InstanceNormalization(
        epsilon: 0.01
      ).op
    ),
    (
      "RMSNorm norm 1 1 in out 0=6 1=1.000000e-02 2=0",
      LayerNormalization(.rms, epsilon: 0.01, scale: false).op
    ),
    (
      "LayerNorm norm 1 1 in out 0=6 2=0",
      LayerNormalization(epsilon: 0.001, scale: false, center: false).op
    ),
    (
      "LayerNorm norm 1 1 in out 0=30 1=1.000000e-02 2=0",
      LayerNormalization(dimensions: 2, epsilon: 0.01, scale: false, center: false).op
    ),
    ("Reduction norm 1 1 in out 0=8 1=1 4=1", .reduce(Reduction(.l2, dimensions: [1, 2, 3]))),
    (
      "Reduction norm 1 1 in out 0=5 1=0 -23303=2,0,-1 4=0 5=1",
      .reduce(Reduction(.minimum, dimensions: [1, 3], keepsDimensions: false))
    ),
    (
      "InstanceNorm norm 1 1 in out 0=4 2=0",
      InstanceNormalization(
        epsilon: 0.001, affine: false
      ).op
    ),
  ])
  func ncnn(_ line: String, _ op: Op) throws {
    let folder = try TemporaryFolder()
    let lines = ["7767517", "2 2", "Input in 0 1 in 0=6 1=5 2=4", line]
    let path = try folder.file("net.param", Array((lines.joined(separator: "\n") + "\n").utf8))
    let numbers: [Float] = op.slotSuffixes.isEmpty ? [] : [1, 2, 3, 4, -1, 0, 0.5, 2]
    _ = try folder.file(
      "net.bin",
      numbers.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt32(8 * $0)) }
      })
    let imported = try NCNNModel.graph(WeightsFile.read(path))
    #expect(imported.graph.nodes.map(\.op) == [op])
    let loaded = try imported.weights.loaded()
    #expect(loaded.names == op.slotSuffixes.map { "norm.\($0)" })
    #expect(loaded.flatMap(\.tensor.floats) == numbers)
  }

  /// Formats say every operation, or are given the operations that an expansion is made of.
  @Test func everyOperationCanBeSaid() {
    for type in Op.types {
      #expect(
        type is any ExchangedOperation.Type || type is any Expansion.Type,
        "\(type): Sources/Formats/Operations has no file for it")
    }
  }
}
