import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Every operation and every architecture goes out as ONNX and comes back as the same function.
/// With `AVIARY_ONNX_FOLDER` set, the files stay there with inputs and outputs, and
/// Tests/Fixtures/onnx/check.py holds ONNX Runtime against them.
@Suite struct ONNXExportTests {
  @Test(arguments: try OperationFixture.all()) func operation(_ fixture: OperationFixture) throws {
    let folder = try TemporaryFolder()
    let name = fixture.description.replacing("/", with: "-")
    let path = folder.file("model.onnx")
    do {
      try ONNXExport.write(
        graph: fixture.graph, weights: ONNXRoundTrip.source(fixture.graph, fixture.weights),
        to: path)
    } catch let error as InterchangeError {
      guard case .target(_, _, let why) = error else { throw error }
      // What ONNX does not have is said, and is little.
      let prefixes = [
        "resize/", "groupNormalization/", "instanceNormalization/", "adaptiveAveragePool/",
        "adaptiveMaxPool/", "averagePool/ceil-k2-s3-b1", "maxPool/ceil-k2-s3-b1",
      ]
      #expect(prefixes.contains { fixture.description.hasPrefix($0) }, "\(why)")
      return
    }
    try ONNXRoundTrip.keep(
      path, name, fixture.graph, [(fixture.inputs, [fixture.graph.outputs[0].name: fixture.output])]
    )
    let file = try WeightsFile.read(path)
    let imported = try ONNXNetwork.graph(file)
    let found = try ONNXRoundTrip.outputs(
      imported.graph, try ONNXRoundTrip.tensors(imported.weights), fixture.inputs)
    let agreement = Agreement(
      try #require(found[fixture.graph.outputs[0].name]), expected: fixture.output)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  /// The architectures of which ONNX cannot say a preset, by what is in the way.
  private static let refused = [
    "safmn": "ONNX pools to a stated size", "safmn++": "ONNX pools to a stated size",
  ]

  /// The architectures whose files ONNX Runtime reads and ours does not, by what is in the way.
  private static let notReadBack: [String: String] = {
    let apart = "a dimension is taken apart into several that depend on the size of the image"
    var reasons = ["grl": "too many numbers to be calculated"]
    for name in [
      "atd", "craft", "dat", "fdat", "kbnet-l", "omnisr", "restormer", "retinexformer",
    ] { reasons[name] = apart }
    // It wants multiples of 128.
    reasons["uformer"] = "the network runs at none of the sizes that were tried"
    return reasons
  }()

  @Test(arguments: Registry.builtin.architectures.map(\.info.name))
  func architecture(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    for preset in try Extent.presets(of: architecture) {
      let graph = preset.network.graph
      guard !graph.parameters.isEmpty else { continue }
      // As large as poolings want it at least, and of sizes that the network runs at.
      let rule = graph.sizeRule()
      let shapes = [(24, 20), (25, 19)].map { height, width in
        [1, graph.inputs[0].channels]
          + [height, width].map { side in
            let least = max(side, rule.minimum)
            return (least + rule.multiple - 1) / rule.multiple * rule.multiple
          }
      }.filter { (try? graph.shapes(for: [$0])) != nil }
      let weights = try ONNXRoundTrip.stableWeights(graph, try #require(shapes.first))
      let folder = try TemporaryFolder()
      let path = folder.file("model.onnx")
      let notes: [String]
      do {
        notes = try ONNXExport.write(
          graph: graph, weights: ONNXRoundTrip.source(graph, weights), record: #"{"name": "a"}"#,
          to: path)
      } catch let error as InterchangeError {
        guard case .target(_, _, let why) = error else { throw error }
        #expect(Self.refused[name].map { why.contains($0) } == true, "\(name): \(error)")
        continue
      }
      #expect(notes.isEmpty)
      let file = try WeightsFile.read(path)
      #expect(file.record == #"{"name": "a"}"#)
      // The same tensors, bit by bit, under the same names.
      for (name, tensor) in try file.tensors.loaded() {
        #expect(tensor == weights[name], "\(name)")
      }
      let stored = graph.parameters.filter { $0.role != .nonPersistent }.map(\.name)
      #expect(file.tensors.names.sorted() == stored.sorted())
      let cases = try shapes.enumerated().map { number, shape in
        let inputs = [graph.inputs[0].name: randomTensor(shape, seed: UInt64(24 + number))]
        return (inputs, try ONNXRoundTrip.outputs(graph, weights, inputs))
      }
      try ONNXRoundTrip.keep(path, "\(name)-\(preset.name)", graph, cases)
      let imported: ImportedGraph
      do throws(InterchangeError) {
        imported = try ONNXNetwork.graph(file)
      } catch {
        #expect(
          Self.notReadBack[name].map { "\(error)".contains($0) } == true, "\(name): \(error)")
        continue
      }
      #expect(Self.notReadBack[name] == nil, "\(name) can be read")
      let again = try ONNXRoundTrip.tensors(imported.weights)
      for (inputs, expected) in cases {
        let found = try ONNXRoundTrip.outputs(imported.graph, again, inputs)
        for (name, tensor) in expected {
          let agreement = Agreement(try #require(found[name]), expected: tensor)
          #expect(agreement.relative <= 1e-5, "\(inputs.values.map(\.shape)): \(agreement)")
        }
      }
    }
  }

  @Test func narrowWeightsAreWidened() throws {
    let graph = try Graph(channels: 1) { [$0.convolution("c", 1, kernel: 1)] }
    let half = try Tensor(shape: [1, 1, 1, 1], [0.5]).converted(to: .bfloat16)
    let bias = try Tensor(shape: [1], [0])
    let folder = try TemporaryFolder()
    let path = folder.file("model.onnx")
    let weights = TensorSource(NamedTensors([("c.weight", half), ("c.bias", bias)]))
    let notes = try ONNXExport.write(graph: graph, weights: weights, to: path)
    #expect(notes == ["1 tensors of bfloat16 are written as float32"])
    #expect(try WeightsFile.read(path).tensors.tensor("c.weight")?.floats == [0.5])
    let error = #expect(throws: InterchangeError.self) {
      try ONNXExport.write(graph: graph, weights: TensorSource(NamedTensors()), to: path)
    }
    #expect(
      error?.description
        == "layer c.weight: expected a tensor of shape [1, 1, 1, 1], found none")
  }
}
