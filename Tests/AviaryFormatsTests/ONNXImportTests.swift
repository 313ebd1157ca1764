import AviaryCheckpoint
import AviaryFormats
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// ONNX models as graphs of ours, against ONNX Runtime.
@Suite struct ONNXImportTests {
  @Test(arguments: try ONNXFixture.all()) func agreesWithONNXRuntime(_ fixture: ONNXFixture) throws
  {
    var file = try WeightsFile.read(fixture.path)
    #expect(file.format == .onnx && file.origin.framework == .onnx)
    if let refused = fixture.refused {
      let error = #expect(throws: InterchangeError.self) { try ONNXNetwork.graph(file) }
      #expect(error?.description == refused)
      // Some are read for the one size that is stated.
      guard !fixture.output.isEmpty, let shape = fixture.inputs.first else { return }
      var options = ReadingOptions()
      options.onnx.size = .only(Size(shape[2], shape[3]))
      file = try WeightsFile.read(fixture.path, options)
    }
    let imported = try ONNXNetwork.graph(file)
    let expected = try fixture.outputTensor()
    let found = try outputs(imported, try fixture.inputTensors())
    for tensor in found {
      let agreement = Agreement(tensor, expected: expected)
      #expect(agreement.relative <= 1e-5, "\(agreement)")
    }
  }

  /// The outputs of the oracle, and of the engine where it has all operations.
  private func outputs(_ imported: ImportedGraph, _ inputs: [Tensor]) throws -> [Tensor] {
    let graph = imported.graph
    var feeds: [String: Tensor] = [:]
    for (input, tensor) in zip(graph.inputs, inputs) { feeds[input.name] = tensor }
    let tensors = try imported.weights.loaded()
    #expect(tensors.names == graph.parameters.map(\.name))
    let weights = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
    let name = try #require(graph.outputs.first?.name)
    var results = [try #require(try naive(graph, weights: weights, inputs: feeds)[name])]
    do {
      var plan = try Plan(
        graph, weights: PackedWeights(weights), inputShapes: inputs.map(\.shape),
        engine: Engine(threads: 1))
      results.append(try #require(try plan.run(feeds)[name]))
    } catch ComputeError.unsupported {
      // Attention networks can be written down before the engine runs them.
    }
    return results
  }

  private static func anySize() -> ReadingOptions {
    var options = ReadingOptions()
    options.onnx.size = .any
    return options
  }

  @Test(
    "a size in the file is the only one, unless the user says that it is an example's",
    arguments: [
      ("torch-shuffle-old", true), ("torch-unshuffle", true), ("torch-size-fixed", true),
      ("shuffle-dcr", true), ("torch-flatten-fixed", false),
    ])
  func statedSize(_ name: String, _ takesAny: Bool) throws {
    let path = ONNXFixture.path("\(name).onnx")
    let kept = try ONNXNetwork.graph(WeightsFile.read(path))
    #expect(kept.graph.inputs[0].size != nil)
    let file = try WeightsFile.read(path, Self.anySize())
    guard takesAny else {
      #expect(throws: InterchangeError.self) { try ONNXNetwork.graph(file) }
      return
    }
    let any = try ONNXNetwork.graph(file)
    #expect(any.graph.inputs[0].size == nil)
    #expect(any.notes.count == 1)
  }

  @Test func namesAreThoseOfTheModule() throws {
    func names(_ name: String) throws -> [String] {
      try WeightsFile.read(ONNXFixture.path("\(name).onnx")).tensors.names
    }
    #expect(try names("torch-conv-chain") == ["a.weight", "a.bias", "b.weight", "b.bias"])
    // Folded into the convolution, the weights lost their names; the node has the layer's.
    #expect(try names("torch-folded") == ["a.weight", "a.bias"])
    #expect(
      try names("torch-nested") == [
        "encoder.0.weight", "encoder.0.bias", "encoder.2.0.weight", "encoder.2.0.bias",
      ])
    #expect(try names("torch-recursive") == ["a.weight", "a.bias"])
    #expect(
      try names("torch-norm") == [
        "n.weight", "n.bias", "n.running_mean", "n.running_var", "a.weight", "a.bias",
      ])
    #expect(try names("conv-anonymous") == ["body.0.conv.weight"])
    let file = try WeightsFile.read(
      ONNXFixture.path("conv-anonymous.onnx"))
    #expect(file.tensors[0].storedName == "12")
  }

  private static let published: [JSON] = {
    let path = ONNXFixture.path("published.json")
    guard let bytes = try? bytes(path), let text = String(validating: bytes, as: UTF8.self),
      let json = try? JSON(parsing: text)
    else { return [] }
    return json.array ?? []
  }()

  @Test(.enabled(if: SharedFolder.isPresent, "needs the shared folder"), arguments: 0..<3)
  func publishedModels(_ position: Int) throws {
    let json = ONNXImportTests.published[position]
    let path = try #require(SharedFolder.path("weights/\(json["file"]?.string ?? "")"))
    let imported = try ONNXNetwork.graph(WeightsFile.read(path, Self.anySize()))
    #expect(imported.graph.inputs[0].size == nil)
    let shape = json["shape"]?.array?.compactMap(\.int) ?? []
    // The image that export.py makes.
    let input = try Tensor(
      shape: shape,
      (0..<shape.reduce(1, *)).map { Float($0 * 7_919 % 10_007) / Float(10_007) })
    let weights = try imported.weights.loaded()
    var plan = try Plan(
      imported.graph,
      weights: PackedWeights(
        Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) })),
      inputShapes: [shape], options: PlanOptions(exact: true), engine: Engine(threads: 2))
    let output = try #require(try plan.run([imported.graph.inputs[0].name: input]).values.first)
    #expect(output.count == json["count"]?.int)
    let found = output.floats
    let largest = json["largest"]?.double ?? 0
    let values = json["values"]?.array?.compactMap(\.double) ?? []
    for (position, value) in zip(json["positions"]?.array?.compactMap(\.int) ?? [], values) {
      #expect(abs(Double(found[position]) - value) <= 1e-5 * largest, "\(position)")
    }
  }
}
