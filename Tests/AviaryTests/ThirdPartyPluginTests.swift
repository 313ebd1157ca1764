import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// A third party's library, built from its own package and loaded.
@Suite struct ThirdPartyPluginTests {
  private func registry() throws -> Registry {
    try Registry.builtin.loading(plugins: [try PluginFixtures.thirdParty()], environment: [:])
  }

  @Test func isListed() throws {
    let registry = try registry()
    #expect(registry.architectures.count == Registry.builtin.architectures.count + 1)
    #expect(registry.matching("tiny*").map(\.info.name) == ["tiny-sr"])
    let tiny = try registry["tiny-sr"]
    #expect(
      tiny.info
        == ArchitectureInfo(
          "tiny-sr", summary: "Depthwise convolutions, then pixel shuffle", licence: "MIT"))
    #expect(tiny.presets.map(\.name) == ["x2", "x3"])
    #expect(
      try tiny.preset("x3").text == #"{"blocks":2,"channels":3,"features":12,"scale":3}"#)
    #expect(tiny.publishedNames.map(\.source) == ["third-party/tiny-sr"])
  }

  /// The library holds its own architectures alone, though AviaryGraph is in it and in this
  /// program.
  @Test func bringsOnlyItsOwn() throws {
    #expect(try Plugin.load(path: PluginFixtures.thirdParty()).map(\.info.name) == ["tiny-sr"])
  }

  @Test func describesItsNetwork() throws {
    let network = try registry()["tiny-sr"].network(["scale": 3, "features": 4, "blocks": 1])
    #expect(network.graph.sizeRule().scale == Ratio(3))
    #expect(network.picture == ImageSpec(.rgb))
    #expect(
      network.graph.parameters.map { "\($0.name) \($0.shape)" } == [
        "head.weight [4, 3, 3, 3]", "head.bias [4]", "blocks.0.depth.weight [4, 1, 3, 3]",
        "blocks.0.point.weight [4, 4, 1, 1]", "blocks.0.point.bias [4]",
        "tail.weight [27, 4, 3, 3]", "tail.bias [27]",
      ])
    #expect(try network.graph.tiling(height: 99, width: 99) == .exact(overlap: 3, multiple: 1))
  }

  @Test func refusesConfigurations() throws {
    let path = try PluginFixtures.thirdParty()
    let tiny = try registry()["tiny-sr"]
    func problem(_ configuration: JSON) -> String {
      do { return try tiny.network(configuration).label } catch { return "\(error)" }
    }
    #expect(
      problem(["depth": 2])
        == "tiny-sr: no option 'depth' (it has blocks, channels, features, scale)")
    #expect(
      problem(["scale": "2"]) == #"\#(path): tiny-sr.scale: expected an integer, found "2""#)
    #expect(
      problem(["blocks": 0]) == "\(path): tiny-sr: blocks: expected at least 1, found 0")
    #expect(
      problem(["features": -1])
        == "tiny-sr: features: expected an integer from 0 to 65536, found -1")
    #expect(
      problem(["features": 0]) == "\(path): head: outChannels: expected 1 to 1048576, found 0")
  }

  /// Weights that PyTorch wrote, under the names of the published source: recognised through the
  /// library, computed without it.
  @Test func weightsAreRecognisedAndRun() throws {
    let tensors = try WeightsFile.read(PluginFixtures.path("ThirdParty/Example/weights.pt"))
      .tensors.loaded()
    let index = WeightIndex(Dictionary(tensors.map { ($0.name, $0.tensor.shape) }) { $1 })
    let fit = try registry().detect(index)
    #expect(
      fit.network.label == #"tiny-sr {"blocks":2,"channels":3,"features":8,"scale":2}"#)
    #expect(fit.names?.source == "third-party/tiny-sr")
    let example = try WeightsFile.read(PluginFixtures.path("ThirdParty/Example/example.pt"))
      .tensors.loaded()
    let outputs = try naive(
      fit.network.graph,
      weights: Dictionary(tensors.map { (fit.canonical($0.name), $0.tensor) }) { $1 },
      inputs: ["image": try #require(example["input"])])
    let agreement = Agreement(
      try #require(outputs["output"]), expected: try #require(example["output"]))
    #expect(agreement.relative <= 1e-5, "\(agreement)")
    // Without the plugin nothing has these names and shapes.
    #expect {
      try Registry.builtin.detect(index)
    } throws: {
      "\($0)".hasPrefix("no architecture has exactly these 10 tensors; nearest: ")
    }
  }

  /// Several threads ask one library.
  @Test func answersSeveralThreads() async throws {
    let tiny = try registry()["tiny-sr"]
    let counts = try await withThrowingTaskGroup(of: Int.self) { group in
      for features in 1...16 {
        group.addTask { try tiny.network(["features": .int(features)]).graph.parameters.count }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(counts == [Int](repeating: 10, count: 16))
  }
}
