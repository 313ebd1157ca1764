import AviaryCheckpoint
import AviaryFormats
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// A model that the real Keras made, with what it computes, of Tests/Fixtures/keras-models.
struct KerasFixture {
  /// The file with the model.
  let path: String
  /// Inputs and outputs of each run, by their names in the graph.
  let runs: [(inputs: [String: Tensor], outputs: [String: Tensor])]

  private static let folder = SharedFolder.repository.appending(path: "Tests/Fixtures/keras-models")

  /// The names of all cases.
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".keras") || $0.hasSuffix(".h5") }.sorted()

  /// The path of a case's model.
  static func file(_ name: String) -> String { folder.appending(path: name).path }

  /// Reads a case.
  init(_ name: String) throws {
    let stem = String(name.prefix { $0 != "." })
    try self.init(
      path: KerasFixture.file(name),
      tensors: KerasFixture.folder.appending(path: "\(stem).pt").path)
  }

  /// A model anywhere, with the runs of a fixture.
  init(path: String, runs name: String) throws {
    try self.init(path: path, tensors: KerasFixture.folder.appending(path: "\(name).pt").path)
  }

  private init(path: String, tensors: String) throws {
    self.path = path
    var runs: [(inputs: [String: Tensor], outputs: [String: Tensor])] = []
    for (name, tensor) in try WeightsFile.read(tensors).tensors.loaded() {
      let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
      let number = try #require(Int(parts[0]))
      while runs.count <= number { runs.append(([:], [:])) }
      if parts[1] == "in" {
        runs[number].inputs[parts[2]] = tensor
      } else {
        runs[number].outputs[parts[2]] = tensor
      }
    }
    self.runs = runs
  }

  /// Runs the model as our engine does and compares all its outputs with Keras's.
  func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(path)))
    let graph = imported.graph
    var weights: [String: Tensor] = [:]
    for (name, tensor) in try imported.weights.loaded() { weights[name] = tensor }
    let prepared = PackedWeights(weights)
    #expect(!runs.isEmpty, sourceLocation: sourceLocation)
    for run in runs {
      // A row goes in as channels of one pixel, as the report says.
      var inputs: [String: Tensor] = [:]
      for input in graph.inputs {
        let given = try #require(
          run.inputs[input.name] ?? (run.inputs.count == 1 ? run.inputs.first?.value : nil))
        inputs[input.name] =
          given.shape.count == 2 ? try given.reshaped(to: given.shape + [1, 1]) : given
      }
      var plan = try Plan(
        graph, weights: prepared, inputShapes: graph.inputs.map { inputs[$0.name]?.shape ?? [] },
        engine: Engine())
      let found = try plan.run(inputs)
      #expect(
        Set(found.keys) == Set(run.outputs.keys), "\(path)", sourceLocation: sourceLocation)
      for (name, expected) in run.outputs {
        let output = try #require(found[name], sourceLocation: sourceLocation)
        let agreement = Agreement(output, expected: expected)
        #expect(agreement.relative <= 1e-5, "\(name): \(agreement)", sourceLocation: sourceLocation)
      }
    }
  }
}
