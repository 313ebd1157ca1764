import AviaryCheckpoint
import AviaryCompute
import AviaryFormats
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Both the naive executor and the engine give these outputs.
func expect(
  _ imported: ImportedGraph, _ inputs: [Tensor], _ outputs: [Tensor]
) throws {
  let graph = imported.graph
  var feeds: [String: Tensor] = [:]
  for (input, tensor) in zip(graph.inputs, inputs) { feeds[input.name] = tensor }
  let tensors = try imported.weights.loaded()
  let weights = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
  var plan = try Plan(
    graph, weights: PackedWeights(weights), inputShapes: inputs.map(\.shape),
    engine: Engine(threads: 1))
  for found in [try naive(graph, weights: weights, inputs: feeds), try plan.run(feeds)] {
    for (output, expected) in zip(graph.outputs, outputs) {
      let agreement = Agreement(try #require(found[output.name]), expected: expected)
      #expect(agreement.relative <= 1e-5, "\(agreement)")
    }
  }
}

/// Networks of any size whose framework's results lie beside them.
@Suite("networks of any size")
struct AnySizeTests {
  private func path(_ name: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/sizes/\(name)").path
  }

  private func arrays(_ name: String) throws -> [String: Tensor] {
    let tensors = try WeightsFile.read(path(name)).tensors.loaded()
    return Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
  }

  @Test("two factors of an enlargement by repetition")
  func anisotropic() throws {
    let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(path("aniso.keras"))))
    let gray = try #require(try arrays("gray.npy").values.first)
    let expected = try #require(try arrays("aniso.npy").values.first)
    let (height, width) = (gray.shape[0], gray.shape[1])
    #expect(expected.shape == [2 * height, width, 1])
    try expect(
      imported, [Tensor(shape: [1, 1, height, width], gray.floats)],
      [Tensor(shape: [1, 1, 2 * height, width], expected.floats)])
  }

  @Test(
    "at sizes that they were not exported at",
    arguments: [
      ("ucrop_dynamic", ["27x22", "24x33"]), ("unshuffle_dynamic", ["12x20", "26x18"]),
    ])
  func exportedAtOthers(_ name: String, _ sizes: [String]) throws {
    let imported = try ONNXNetwork.graph(WeightsFile.read(path("\(name).onnx")))
    #expect(imported.graph.inputs[0].size == nil)
    for size in sizes {
      let numbers = try arrays("\(name).\(size).npz")
      try expect(
        imported, [try #require(numbers["x0"])], [try #require(numbers["y0"])])
    }
  }
}
