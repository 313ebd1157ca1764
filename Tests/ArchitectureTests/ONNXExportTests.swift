import Aviary
import AviaryCheckpoint
import AviaryCompute
import AviaryGraph
import AviaryInterchange
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Every operation and every architecture goes out as ONNX and comes back as the same function. With
/// `AVIARY_ONNX_FOLDER` set, the files stay there with inputs and outputs, and
/// Tests/Fixtures/onnx/check.py holds ONNX Runtime against them.
@Suite struct ONNXExportTests {
  @Test(arguments: try OperationFixture.all()) func operation(_ fixture: OperationFixture) throws {
    let folder = try TemporaryFolder()
    let name = fixture.description.replacing("/", with: "-")
    let path = folder.file("model.onnx")
    do {
      try ONNXExport.write(
        graph: fixture.graph, weights: source(fixture.graph, fixture.weights), to: path)
    } catch let error as InterchangeError {
      guard case .target(_, _, let why) = error else { throw error }
      // What ONNX does not have is said, and is little.
      #expect(fixture.description.hasPrefix("resize/"), "\(why)")
      return
    }
    try keep(
      path, name, fixture.graph, [(fixture.inputs, [fixture.graph.outputs[0].name: fixture.output])]
    )
    let file = try WeightsFile.read(path)
    let imported: ImportedGraph
    do {
      imported = try ONNXNetwork.graph(file)
    } catch {
      // Slices whose edges depend on the size are written and not read.
      #expect(fixture.description.hasPrefix("roll/"), "\(error)")
      return
    }
    let found = try outputs(imported.graph, try tensors(imported.weights), fixture.inputs)
    let agreement = Agreement(
      try #require(found[fixture.graph.outputs[0].name]), expected: fixture.output)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test(arguments: Registry.builtin.architectures.map(\.info.name))
  func architecture(_ name: String) throws {
    let architecture = try Registry.builtin[name]
    for preset in architecture.presets {
      let graph = try architecture.network(preset.configuration).graph
      guard !graph.parameters.isEmpty else { continue }
      let weights = randomWeights(for: graph, seed: 7)
      let folder = try TemporaryFolder()
      let path = folder.file("model.onnx")
      let notes = try ONNXExport.write(
        graph: graph, weights: source(graph, weights), record: #"{"name": "a"}"#, to: path)
      #expect(notes.isEmpty)
      let file = try WeightsFile.read(path)
      #expect(file.record == #"{"name": "a"}"#)
      // The same tensors, bit by bit, under the same names.
      for (name, tensor) in try file.tensors.loaded() {
        #expect(tensor == weights[name], "\(name)")
      }
      let stored = graph.parameters.filter { $0.role != .bookkeeping }.map(\.name)
      #expect(file.tensors.names.sorted() == stored.sorted())
      let imported = try ONNXNetwork.graph(file)
      let again = try tensors(imported.weights)
      var cases: [([String: Tensor], [String: Tensor])] = []
      for (height, width) in [(24, 20), (25, 19)] {
        let shape = [1, graph.inputs[0].channels, height, width]
        guard (try? graph.shapes(for: [shape])) != nil else { continue }
        let inputs = [graph.inputs[0].name: randomTensor(shape, seed: UInt64(height))]
        let expected = try outputs(graph, weights, inputs)
        let found = try outputs(imported.graph, again, inputs)
        for (name, tensor) in expected {
          let agreement = Agreement(try #require(found[name]), expected: tensor)
          #expect(agreement.relative <= 1e-5, "\(height)x\(width): \(agreement)")
        }
        cases.append((inputs, expected))
      }
      #expect(!cases.isEmpty)
      try keep(path, "\(name)-\(preset.name)", graph, cases)
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
        == "layer c.weight: a tensor of shape [1, 1, 1, 1] expected, none found")
  }

  // MARK: - Running

  private func source(_ graph: Graph, _ weights: [String: Tensor]) -> TensorSource {
    TensorSource(
      NamedTensors(
        graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        }))
  }

  private func tensors(_ source: TensorSource) throws -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: try source.loaded().map { ($0.name, $0.tensor) })
  }

  /// By the engine, or the oracle where the engine has not all operations.
  private func outputs(
    _ graph: Graph, _ weights: [String: Tensor], _ inputs: [String: Tensor]
  ) throws -> [String: Tensor] {
    do {
      return try engineOutputs(graph, weights, inputs)
    } catch ComputeError.unsupported {
      return try naive(graph, weights: weights, inputs: inputs)
    }
  }

  private func engineOutputs(
    _ graph: Graph, _ weights: [String: Tensor], _ inputs: [String: Tensor]
  ) throws -> [String: Tensor] {
    var plan = try Plan(
      graph, weights: PreparedWeights(weights),
      inputShapes: graph.inputs.map { inputs[$0.name]?.shape ?? [] },
      options: PlanOptions(exact: true), engine: Engine(threads: 1))
    return try plan.run(inputs)
  }

  /// Leaves a model for check.py where that was asked for.
  private func keep(
    _ path: String, _ name: String, _ graph: Graph,
    _ cases: [(inputs: [String: Tensor], outputs: [String: Tensor])]
  ) throws {
    guard let folder = ProcessInfo.processInfo.environment["AVIARY_ONNX_FOLDER"] else { return }
    let base = URL(filePath: folder).appending(path: name)
    try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
    try Data(bytes(path)).write(to: base.appending(path: "model.onnx"))
    let shapes = try cases.enumerated().map { number, pair in
      JSON.object([
        "inputs": try store(pair.inputs, graph.inputs.map(\.name), "\(number).input", base),
        "outputs": try store(pair.outputs, graph.outputs.map(\.name), "\(number).output", base),
      ])
    }
    try Data(JSON.array(shapes).text.utf8).write(to: base.appending(path: "cases.json"))
  }

  private func store(
    _ tensors: [String: Tensor], _ names: [String], _ file: String, _ folder: URL
  ) throws -> JSON {
    var data = Data()
    var entries: [JSON] = []
    for name in names {
      guard let tensor = tensors[name] else { continue }
      unsafe tensor.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
      entries.append(
        .object(["name": .string(name), "shape": .array(tensor.shape.map { .int($0) })]))
    }
    try data.write(to: folder.appending(path: file))
    return .array(entries)
  }
}
