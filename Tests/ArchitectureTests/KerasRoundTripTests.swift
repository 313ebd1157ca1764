import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Every architecture written as Keras's files and read again: by our record to the very tensors,
/// and by the configuration alone to a network that computes the same.
@Suite struct KerasRoundTripTests {
  private static let files: [(KerasModel.File, String)] = [
    (.archive, "model.keras"), (.weights, "model.weights.h5"), (.legacy, "model.h5"),
  ]

  private func network(_ fixture: ArchitectureFixture) throws -> (Graph, NamedTensors) {
    let index = WeightIndex(
      Dictionary(uniqueKeysWithValues: fixture.weights.map { ($0.name, $0.tensor.shape) }))
    let fit = try Registry.builtin.detect(index, overrides: fixture.configuration)
    return (fit.network.graph, fixture.weights.renamed(fit.canonical))
  }

  @Test(arguments: try ArchitectureFixture.names(), [KerasExport.Borders.layers, .kernels])
  func tensorsComeBack(_ name: String, borders: KerasExport.Borders) throws {
    let (graph, weights) = try network(ArchitectureFixture(name))
    let source = try TensorSource(weights).completed(for: graph)
    let hash = try ContentHash.of(source)
    let model = try KerasExport.model(graph, borders: borders)
    for (kind, file) in Self.files {
      let folder = try TemporaryFolder()
      try model.write(
        kind, name: "network", weights: source,
        record: EmbeddedMetadata(architecture: name, contentHash: hash), to: folder.file(file))
      let found = try WeightsFile.read(folder.file(file))
      let record = try #require(
        found.record.flatMap { try? JSON(parsing: $0) }.flatMap(EmbeddedMetadata.init(json:)))
      #expect(record.architecture == name)
      let restored = try #require(record.restored(found), "\(file)")
      #expect(try ContentHash.of(restored) == hash, "\(file)")
    }
  }

  @Test(arguments: try ArchitectureFixture.names(), [KerasExport.Borders.layers, .kernels])
  func configurationComputesTheSame(_ name: String, borders: KerasExport.Borders) throws {
    let fixture = try ArchitectureFixture(name)
    let (graph, weights) = try network(fixture)
    let source = try TensorSource(weights).completed(for: graph)
    let model = try KerasExport.model(graph, borders: borders)
    for (kind, file) in Self.files where kind != .weights {
      let folder = try TemporaryFolder()
      try model.write(kind, name: "network", weights: source, record: nil, to: folder.file(file))
      let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(folder.file(file))))
      let tensors = try imported.weights.loaded()
      let result = try naive(
        imported.graph,
        weights: Dictionary(tensors.map { ($0.name, $0.tensor) }) { $1 },
        inputs: [imported.graph.inputs[0].name: fixture.input])
      let found = try #require(result[imported.graph.outputs[0].name])
      let agreement = Agreement(found, expected: fixture.output)
      #expect(agreement.relative <= 1e-5, "\(file): \(agreement)")
    }
  }

  @Test func clampsAreExact() throws {
    let example = try ExportCase.clamps
    let model = try KerasExport.model(example.graph)
    for (kind, file) in Self.files where kind != .weights {
      let folder = try TemporaryFolder()
      try model.write(
        kind, name: "network", weights: example.source, record: nil, to: folder.file(file))
      let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(folder.file(file))))
      let input = try #require(example.inputs[example.graph.inputs[0].name])
      let result = try naive(
        imported.graph, weights: [:], inputs: [imported.graph.inputs[0].name: input])
      try #require(imported.graph.outputs.count == example.graph.outputs.count)
      for (own, other) in zip(example.graph.outputs, imported.graph.outputs) {
        let expected = try #require(example.outputs[own.name])
        let found = try #require(result[other.name])
        // What is added and subtracted again, where both bounds are of one sign, is rounded once.
        for (a, b) in zip(expected.floats, found.floats) {
          #expect(abs(a - b) <= abs(a) * 1e-6, "\(own.name): \(a), \(b)")
        }
      }
    }
  }

  @Test func aLongRecordIsSplit() throws {
    let graph = try Graph(channels: 1) { [$0.convolution("a", 1, kernel: 1)] }
    let weights = randomWeights(for: graph, seed: 1)
    let source = TensorSource(NamedTensors(weights.sorted { $0.key < $1.key }.map { ($0, $1) }))
    let words = String(repeating: "größe ", count: 40_000)
    let record = EmbeddedMetadata(architecture: words)
    for (kind, file) in Self.files where kind != .archive {
      let folder = try TemporaryFolder()
      try KerasExport.model(graph).write(
        kind, name: "network", weights: source, record: record, to: folder.file(file))
      let text = try #require(try WeightsFile.read(folder.file(file)).record)
      #expect(try EmbeddedMetadata(json: JSON(parsing: text))?.architecture == words)
    }
  }

  @Test func namesTooLongForOneAttributeAreSplit() throws {
    // Names of 500 bytes, of which no 64 KiB hold 200.
    let graph = try Graph(channels: 1) { x in
      [
        (0..<200).reduce(x) {
          $0.convolution("\($1)" + String(repeating: "n", count: 490), 1, kernel: 1)
        }
      ]
    }
    let weights = randomWeights(for: graph, seed: 1)
    let source = TensorSource(
      NamedTensors(
        graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        }))
    let folder = try TemporaryFolder()
    try KerasExport.model(graph).write(
      .legacy, name: "network", weights: source, record: EmbeddedMetadata(),
      to: folder.file("model.h5")
    )
    let found = try WeightsFile.read(folder.file("model.h5"))
    #expect(found.tensors.count == 400)
    let record = try JSON(parsing: #require(found.record))
    let restored = try #require(EmbeddedMetadata(json: record)?.restored(found))
    #expect(try ContentHash.of(restored) == ContentHash.of(source))
  }
}
