import Aviary
import AviaryGraph
import AviaryInterchange
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Writes what Tests/Fixtures/export/check.py loads with the real frameworks, into the folder that
/// `AVIARY_INTEROP_DIR` names; without it, only that everything can be written.
@Suite struct ExportCasesTests {
  @Test(arguments: try ArchitectureFixture.names())
  func architectures(_ name: String) throws {
    let fixture = try ArchitectureFixture(name)
    let index = WeightIndex(
      Dictionary(uniqueKeysWithValues: fixture.weights.map { ($0.name, $0.tensor.shape) }))
    let fit = try Registry.builtin.detect(index, overrides: fixture.configuration)
    let weights = Dictionary(
      uniqueKeysWithValues: fixture.weights.map { (fit.canonical($0.name), $0.tensor) })
    let graph = fit.network.graph
    try write(
      ExportCase(
        "architecture.\(name)", graph, weights: weights,
        inputs: [graph.inputs[0].name: fixture.input], outputs: ["output": fixture.output]))
  }

  @Test func operations() throws {
    for fixture in try OperationFixture.all() {
      let name = fixture.description.split(separator: "/").joined(separator: ".")
      // The counters of normalisations are no part of the fixtures.
      try write(
        ExportCase(
          "operation.\(name)", fixture.graph, weights: fixture.weights, inputs: fixture.inputs,
          outputs: ["output": fixture.output]))
    }
  }

  @Test func clamps() throws { try write(ExportCase.clamps) }

  @Test(arguments: 0..<24)
  func random(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let graph = try Graph(channels: 3) { RandomExport.network($0, steps: 10, &generator) }
    try write(
      ExportCase("random.\(seed)", graph, height: 9 + seed % 3, width: 8 + seed % 5))
  }

  private func write(_ example: ExportCase) throws {
    if let folder = ProcessInfo.processInfo.environment["AVIARY_INTEROP_DIR"] {
      try example.write(into: folder)
    } else {
      let folder = try TemporaryFolder()
      try example.write(into: folder.path)
    }
  }
}
