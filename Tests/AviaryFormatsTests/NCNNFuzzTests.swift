import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Changed ncnn networks and weights: each gives an error or a graph, and soon.
@Suite struct NCNNFuzzTests {
  private static let names = ["convolutions", "transposed", "values", "pixels", "fixed"]

  private func original(_ name: String) throws -> [UInt8] {
    try bytes(SharedFolder.repository.appending(path: "Tests/Fixtures/ncnn/" + name).path)
  }

  private func read(_ path: String) throws {
    let imported = try NCNNModel.graph(WeightsFile.read(path))
    _ = try imported.weights.loaded()
    _ = try? imported.graph.shapes(height: 13, width: 8)
  }

  @Test(arguments: names) func changedTextsAreReadOrRefused(name: String) throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("x.bin", original(name + ".bin"))
    let fuzzing = try Fuzzing(
      name + ".param", [original(name + ".param")], in: folder, name: "x.param",
      share: Self.names.count, read)
    #expect(fuzzing.slowest < 10, "\(fuzzing)")
  }

  @Test(arguments: names) func changedWeightsAreReadOrRefused(name: String) throws {
    let folder = try TemporaryFolder()
    let param = try folder.file("x.param", original(name + ".param"))
    let fuzzing = try Fuzzing(
      name + ".bin", [original(name + ".bin")], in: folder, name: "x.bin",
      share: Self.names.count
    ) { _ in
      try read(param)
    }
    #expect(fuzzing.slowest < 10, "\(fuzzing)")
  }
}
