import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// What goes out as ncnn comes back as the same function, or is refused by name. With
/// `AVIARY_NCNN_FOLDER` set, the files stay there with inputs and outputs, and
/// Tests/Interop/ncnn_weights.py holds ncnn against them.
@Suite struct NCNNExportTests {
  /// The architectures that ncnn cannot say, by the operation that is in the way.
  private static let refused = [
    "bicubic": "ncnn's cubic interpolation", "lanczos": "ncnn's cubic interpolation",
    "back-projection": "ncnn's cubic interpolation", "detail-fusion": "ncnn's cubic interpolation",
    "self-exemplar": "ncnn has no layer that computes padToMultiple",
    "rtmosr": "RMSNorm", "safmn": "stated sizes", "safmn++": "stated sizes",
    "spanplus": "gridSample", "craft": "does not pad by symmetric",
    "dat": "depends on the image's size", "fdat": "depends on the image's size",
    "atd": "no layer that computes padToMultiple",
    "dctlsa": "no layer that computes padToMultiple",
    "ditn": "no layer that computes padToMultiple",
    "grl": "no layer that computes padToMultiple",
    "omnisr": "no layer that computes padToMultiple",
    "srformer": "no layer that computes padToMultiple",
    "swin2sr": "no layer that computes padToMultiple",
    "swinir": "no layer that computes padToMultiple",
    "retinexformer": "takes all of an image as one row",
    "seemore": "no layer that computes constantGather",
  ]

  @Test(arguments: try OperationFixture.all()) func operation(_ fixture: OperationFixture) throws {
    // ncnn computes one image at a time.
    guard fixture.inputs.values.allSatisfy({ $0.shape[0] == 1 }) else { return }
    let folder = try TemporaryFolder()
    let path = folder.file("model.param")
    do {
      try NCNNExport.write(
        graph: fixture.graph, weights: ONNXRoundTrip.source(fixture.graph, fixture.weights),
        to: path)
    } catch let error as InterchangeError {
      guard case .target("ncnn", _, let why) = error else { throw error }
      #expect(!why.isEmpty)
      return
    }
    let name = fixture.description.replacing("/", with: "-")
    try keep(
      path, "operation-\(name)", fixture.inputs,
      [fixture.graph.outputs[0].name: fixture.output])
    let imported = try NCNNModel.graph(try WeightsFile.read(path))
    let found = try ONNXRoundTrip.outputs(
      imported.graph, try ONNXRoundTrip.tensors(imported.weights), fixture.inputs)
    let agreement = Agreement(
      try #require(found[fixture.graph.outputs[0].name]), expected: fixture.output)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test(arguments: Registry.builtin.architectures.map(\.info.name))
  func architecture(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    for preset in try Extent.presets(of: architecture).prefix(2) {
      let graph = preset.network.graph
      guard graph.parameterCount < 2_000_000 else { continue }
      let rule = graph.sizeRule()
      let shape =
        [1, graph.inputs[0].channels]
        + [24, 20].map { side in
          let least = max(side, rule.minimum)
          return (least + rule.multiple - 1) / rule.multiple * rule.multiple
        }
      let weights = try ONNXRoundTrip.stableWeights(graph, shape)
      let folder = try TemporaryFolder()
      let path = folder.file("model.param")
      do {
        try NCNNExport.write(
          graph: graph, weights: ONNXRoundTrip.source(graph, weights), to: path)
      } catch let error as InterchangeError {
        guard case .target("ncnn", _, let why) = error else { throw error }
        #expect(Self.refused[name].map { why.contains($0) } == true, "\(name): \(error)")
        continue
      }
      #expect(Self.refused[name] == nil, "\(name) can be said")
      let inputs = [graph.inputs[0].name: randomTensor(shape, seed: 24)]
      let expected = try ONNXRoundTrip.outputs(graph, weights, inputs)
      try keep(path, "\(name)-\(preset.name)", inputs, expected)
      let imported = try NCNNModel.graph(try WeightsFile.read(path))
      let found = try ONNXRoundTrip.outputs(
        imported.graph, try ONNXRoundTrip.tensors(imported.weights), inputs)
      for (name, tensor) in expected {
        let agreement = Agreement(try #require(found[name]), expected: tensor)
        #expect(agreement.relative <= 1e-5, "\(agreement)")
      }
    }
  }

  @Test("a blob that several layers take, outputs on the way, constants: all come back")
  func splits() throws {
    let graph = try Graph(
      inputs: [Graph.Input("a picture", channels: 2, size: Size(4, 3))],
      nodes: [
        Graph.Node(
          "constant", .learnedConstant(LearnedConstant([2, 1, 3])), inputs: [], parameters: ["c"]),
        Graph.Node("sum", .binary(.add), inputs: [0, 1]),
        Graph.Node("square", .binary(.multiply), inputs: [2, 2]),
        Graph.Node("unused", .activation(.relu), inputs: [3]),
        Graph.Node("pad", .pad(Pad(PaddingAmounts(1, 0, 2, 1), .reflect)), inputs: [3]),
        Graph.Node("power", .binary(.power), inputs: [5, 3]),
      ].dropLast(1) + [Graph.Node("drop", .dropout(Dropout(rate: 0.5)), inputs: [3])],
      outputs: [
        Graph.Output("sum", value: 2), Graph.Output("y", value: 5), Graph.Output("z", value: 6),
        Graph.Output("again", value: 6), Graph.Output("same", value: 0),
      ])
    let weights = randomWeights(for: graph, seed: 3)
    let folder = try TemporaryFolder()
    let path = folder.file("model.param")
    try NCNNExport.write(graph: graph, weights: ONNXRoundTrip.source(graph, weights), to: path)
    #expect(try folder.names == ["model.bin", "model.param"])
    let input = randomTensor([1, 2, 4, 3], seed: 5)
    let expected = try ONNXRoundTrip.outputs(graph, weights, ["a picture": input])
    let imported = try NCNNModel.graph(try WeightsFile.read(path))
    let found = try ONNXRoundTrip.outputs(
      imported.graph, try ONNXRoundTrip.tensors(imported.weights), ["a_picture": input])
    #expect(found.keys.sorted() == ["again", "same", "sum", "y", "z"])
    for (name, tensor) in expected { #expect(found[name] == tensor, "\(name)") }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(!text.contains("unused"))
  }

  @Test("what ncnn cannot say is refused by the node's name")
  func refusals() throws {
    func refusal(_ nodes: [Graph.Node], _ last: Int) throws -> InterchangeError? {
      let graph = try Graph(
        inputs: [Graph.Input("x", channels: 4)], nodes: nodes,
        outputs: [Graph.Output("y", value: last)])
      let folder = try TemporaryFolder()
      let error = #expect(throws: InterchangeError.self) {
        try NCNNExport.write(
          graph: graph, weights: TensorSource(NamedTensors()), to: folder.file("a.param"))
      }
      #expect(try folder.names.isEmpty)
      return error
    }
    #expect(
      try refusal([Graph.Node("sorted", .sort(Sort(dimension: 1)), inputs: [0])], 1)
        == .target(format: "ncnn", node: "sorted", why: "ncnn has no layer that computes sort"))
    #expect(
      try refusal([Graph.Node("less", .binary(.less), inputs: [0, 0])], 1)
        == .target(format: "ncnn", node: "less", why: "ncnn has no comparison"))
    #expect(
      try refusal([Graph.Node("rows", .reshape(Reshape([-1, 4])), inputs: [0])], 1)
        == .target(
          format: "ncnn", node: "rows",
          why: "ncnn has no dimension of images, which reshape changes"))
  }

  private func keep(
    _ path: String, _ name: String, _ inputs: [String: Tensor], _ outputs: [String: Tensor]
  ) throws {
    guard let folder = ProcessInfo.processInfo.environment["AVIARY_NCNN_FOLDER"] else { return }
    for ending in ["param", "bin"] {
      let target = "\(folder)/\(name).\(ending)"
      try? FileManager.default.removeItem(atPath: target)
      try FileManager.default.copyItem(
        atPath: path.dropLast("param".count) + ending, toPath: target)
    }
    for (kind, tensors) in [("in", inputs), ("out", outputs)] {
      for (blob, tensor) in tensors {
        try NumPyArray.write(tensor, to: "\(folder)/\(name).\(kind).\(blob).npy")
      }
    }
  }
}
