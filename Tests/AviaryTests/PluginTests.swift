import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
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

  /// The library holds its own architectures alone, though AviaryGraph is in it and in this program.
  @Test func bringsOnlyItsOwn() throws {
    #expect(try Plugin.load(path: PluginFixtures.thirdParty()).map(\.info.name) == ["tiny-sr"])
  }

  @Test func describesItsNetwork() throws {
    let network = try registry()["tiny-sr"].network(["scale": 3, "features": 4, "blocks": 1])
    #expect(network.graph.sizeRule().scale == Ratio(3))
    #expect(network.picture == Picture(.rgb))
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
      problem(["scale": "2"]) == #"\#(path): tiny-sr.scale: an integer expected, "2" found"#)
    #expect(
      problem(["blocks": 0]) == "\(path): tiny-sr: blocks: at least 1 expected, 0 found")
    #expect(
      problem(["features": -1])
        == "tiny-sr: features: an integer from 0 to 65536 expected, -1 found")
    #expect(
      problem(["features": 0]) == "\(path): head: filters: 1 to 1048576 expected, 0 found")
  }

  /// Weights that PyTorch wrote, under the names of the published source: recognised through the
  /// library, computed without it.
  @Test func weightsAreRecognisedAndRun() throws {
    let tensors = try WeightsFile.read(PluginFixtures.path("ThirdParty/Example/weights.pt"))
      .stateDict.tensors
    let index = WeightIndex(Dictionary(tensors.map { ($0.name, $0.tensor.shape) }) { $1 })
    let fit = try registry().detect(index)
    #expect(
      fit.network.label == #"tiny-sr {"blocks":2,"channels":3,"features":8,"scale":2}"#)
    #expect(fit.names?.source == "third-party/tiny-sr")
    let example = try WeightsFile.read(PluginFixtures.path("ThirdParty/Example/example.pt"))
      .stateDict.tensors
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
      "\($0)" == "no architecture has exactly these 10 tensors"
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

/// Where plugins come from, and what is refused.
@Suite struct PluginLoadingTests {
  private func problem(_ path: String) -> String {
    do { return "\(try Plugin.load(path: path).map(\.info.name))" } catch { return "\(error)" }
  }

  @Test func declaredPlugin() throws {
    let path = PluginFixtures.path("soft-cubic.json")
    let registry = try Registry.builtin.loading(plugins: [path], environment: [:])
    let model = try Model(withoutWeights: registry["soft-cubic"].network())
    #expect(model.scales == [2])
    #expect(
      try registry["soft-cubic"].network(["variant": "x3"]).graph.sizeRule().scale == Ratio(3))
  }

  @Test func environmentListsAbsolutePaths() throws {
    let folder = try TemporaryFolder()
    let declared = PluginFixtures.path("soft-cubic.json")
    func names(_ plugins: [String], _ variable: String) -> String {
      do {
        let registry = try Registry().loading(
          plugins: plugins, environment: ["AVIARY_PLUGIN_PATH": variable])
        return registry.architectures.map(\.info.name).joined(separator: " ")
      } catch {
        return "\(error)"
      }
    }
    let library = try PluginFixtures.thirdParty()
    #expect(names([], "") == "")
    #expect(names([], declared) == "soft-cubic")
    #expect(names([], ":\(library):\(declared):") == "soft-cubic tiny-sr")
    #expect(names([library], declared) == "soft-cubic tiny-sr")
    // One file by several ways is one plugin.
    let folderOfIt = declared.dropLast("/soft-cubic.json".count)
    #expect(
      names([declared, "\(folderOfIt)/../plugins/soft-cubic.json"], declared) == "soft-cubic")
    for entry in ["plugin.so", "./plugin.so", "../plugin.so", "~/plugin.so"] {
      #expect(
        names([], "\(declared):\(entry)")
          == "AVIARY_PLUGIN_PATH: absolute paths expected, '\(entry)' found")
    }
    #expect(
      names([], folder.file("none.so")) == "\(folder.file("none.so")): cannot be read: "
        + "no such file or directory")
    #expect(names([], folder.path) == "\(folder.path): cannot be read: it is a folder")
  }

  @Test func namesThatAreTaken() throws {
    let folder = try TemporaryFolder()
    let duplicate = try PluginFixtures.broken("duplicate", into: folder)
    func problem(_ plugins: [String]) -> String {
      do {
        _ = try Registry.builtin.loading(plugins: plugins, environment: [:])
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(problem([duplicate]) == "\(duplicate): srcnn: a second architecture of this name")
    let declared = PluginFixtures.path("soft-cubic.json")
    let copy = try folder.file(
      "copy.json", Array(try Data(contentsOf: URL(filePath: declared))))
    #expect(
      problem([declared, copy]) == "\(copy): soft-cubic: a second architecture of this name")
  }

  @Test func notAPlugin() throws {
    let folder = try TemporaryFolder()
    func file(_ name: String, _ text: String) throws -> String {
      try folder.file(name, Array(text.utf8))
    }
    let expected = "a plugin's library or a JSON file expected"
    let empty = try file("empty.so", "")
    #expect(problem(empty) == "\(empty): \(expected), an empty file found")
    let script = try file("script.so", "/* GNU ld script */\nINPUT(-lfoo)\n")
    #expect(problem(script) == "\(script): \(expected), a text file found")
    let page = try file("page.json", "<!DOCTYPE html><html></html>")
    #expect(
      problem(page)
        == "\(page): \(expected), a saved web page (was the download's address right?) found")
    let array = try file("array.json", "[1, 2]")
    #expect(problem(array) == "\(array): \(expected), a text file found")
    let missing = folder.file("missing.so")
    #expect(problem(missing) == "\(missing): cannot be read: no such file or directory")
    #expect(problem(folder.path) == "\(folder.path): cannot be read: it is a folder")
    #expect(problem("/dev/null") == "/dev/null: cannot be read: it is not a file")
    let bad = try file("bad.json", "{\"aviary_plugin\": 1,")
    #expect(problem(bad).hasPrefix("\(bad): JSON expected: "))
    let other = try file("other.json", "{\"model_type\": \"bert\"}")
    #expect(
      problem(other) == "\(other): plugin.aviary_plugin: an integer expected, nothing found")
  }

  @Test func librariesThatCannotBeLoaded() throws {
    let folder = try TemporaryFolder()
    let sound = try PluginFixtures.broken("nothing", into: folder)
    let truncated = try folder.file(
      "truncated.so", Array(try Data(contentsOf: URL(filePath: sound)).prefix(100)))
    // In the loader's own words.
    #expect(problem(truncated).hasPrefix("\(truncated): a plugin's library expected: "))
    let unlinked = try PluginFixtures.broken("missing-symbol", into: folder)
    #expect(
      problem(unlinked)
        == "\(unlinked): a plugin's library expected: undefined symbol: a_function_of_nobody")
    let none = try PluginFixtures.broken("no-entry-point", into: folder)
    #expect(
      problem(none)
        == "\(none): a library with the function aviary_plugin_v1 expected, none found")
  }

  @Test func answersThatAreWrong() throws {
    let folder = try TemporaryFolder()
    let version = try PluginFixtures.broken("another-version", into: folder)
    #expect(problem(version) == "\(version): messages of version 1 expected, 2 found")
    let garbage = try PluginFixtures.broken("garbage", into: folder)
    #expect(problem(garbage).hasPrefix("\(garbage): the library's answer: JSON expected: "))
    for name in ["nothing", "endless"] {
      let path = try PluginFixtures.broken(name, into: folder)
      #expect(problem(path) == "\(path): an answer of up to 64 MiB expected, none found")
    }
  }

  @Test func hostileGraphs() throws {
    let folder = try TemporaryFolder()
    let path = try PluginFixtures.broken("hostile-graph", into: folder)
    let hostile = try #require(try Plugin.load(path: path).first)
    func problem(_ how: String) -> String {
      do { return try hostile.network(["how": .string(how)]).label } catch { return "\(error)" }
    }
    #expect(
      problem("channels")
        == "\(path): the library's answer: x: channels: at most 1048576 expected, "
        + "9223372036854775807 found")
    #expect(
      problem("dimensions")
        == "\(path): the library's answer: a: dimensions: 1 to 8 expected, -1 found")
    #expect(
      problem("kernel") == "\(path): the library's answer: a.weight: elements: at most "
        + "281474976710655 expected, 9223372036854775807 found")
    #expect(
      problem("size") == "\(path): the library's answer: b: resize: fewer than 2^48 elements "
        + "expected, shape [1, 4, 31457280, 31457280] found")
    #expect(problem("none") == "\(path): an answer of up to 64 MiB expected, none found")
  }

  @Test func hugeGraph() throws {
    let folder = try TemporaryFolder()
    let path = try PluginFixtures.broken("huge-graph", into: folder)
    let huge = try #require(try Plugin.load(path: path).first)
    #expect {
      try huge.network()
    } throws: {
      "\($0)" == "\(path): the library's answer: nodes: at most 20000 expected, 2000000 found"
    }
  }
}
