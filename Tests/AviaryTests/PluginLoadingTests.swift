import Aviary
import AviaryGraph
import AviaryTestSupport
import FoundationEssentials
import Testing

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
          == "AVIARY_PLUGIN_PATH: expected absolute paths, found '\(entry)'")
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
    let expected = "expected a plugin's library or a JSON file"
    let empty = try file("empty.so", "")
    #expect(problem(empty) == "\(empty): \(expected), found an empty file")
    let script = try file("script.so", "/* GNU ld script */\nINPUT(-lfoo)\n")
    #expect(problem(script) == "\(script): \(expected), found a text file")
    let page = try file("page.json", "<!DOCTYPE html><html></html>")
    #expect(
      problem(page)
        == "\(page): \(expected), found a saved web page (was the download's address right?)")
    let array = try file("array.json", "[1, 2]")
    #expect(problem(array) == "\(array): \(expected), found a text file")
    let missing = folder.file("missing.so")
    #expect(problem(missing) == "\(missing): cannot be read: no such file or directory")
    #expect(problem(folder.path) == "\(folder.path): cannot be read: it is a folder")
    #expect(problem("/dev/null") == "/dev/null: cannot be read: it is not a file")
    let bad = try file("bad.json", "{\"aviary_plugin\": 1,")
    #expect(problem(bad).hasPrefix("\(bad): invalid JSON: "))
    let other = try file("other.json", "{\"model_type\": \"bert\"}")
    #expect(
      problem(other) == "\(other): plugin.aviary_plugin: expected an integer, found nothing")
  }

  @Test func librariesThatCannotBeLoaded() throws {
    let folder = try TemporaryFolder()
    let sound = try PluginFixtures.broken("nothing", into: folder)
    let truncated = try folder.file(
      "truncated.so", Array(try Data(contentsOf: URL(filePath: sound)).prefix(100)))
    // In the loader's own words.
    #expect(problem(truncated).hasPrefix("\(truncated): cannot be loaded as a plugin: "))
    let unlinked = try PluginFixtures.broken("missing-symbol", into: folder)
    #expect(
      problem(unlinked)
        == "\(unlinked): cannot be loaded as a plugin: undefined symbol: a_function_of_nobody")
    let none = try PluginFixtures.broken("no-entry-point", into: folder)
    #expect(
      problem(none)
        == "\(none): the library has no function aviary_plugin_v1; it is not a plugin")
  }

  @Test func answersThatAreWrong() throws {
    let folder = try TemporaryFolder()
    let version = try PluginFixtures.broken("another-version", into: folder)
    #expect(problem(version) == "\(version): expected messages of version 1, found 2")
    let garbage = try PluginFixtures.broken("garbage", into: folder)
    #expect(problem(garbage).hasPrefix("\(garbage): the library's answer: invalid JSON: "))
    for name in ["nothing", "endless"] {
      let path = try PluginFixtures.broken(name, into: folder)
      #expect(problem(path) == "\(path): gave no answer, or one of more than 64 MiB")
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
        == "\(path): the library's answer: x: channels: 9223372036854775807 exceeds "
        + "the limit of 1048576")
    #expect(
      problem("dimensions")
        == "\(path): the library's answer: a: dimensions: expected 1 to 8, found -1")
    #expect(
      problem("kernel") == "\(path): the library's answer: a.weight: elements: "
        + "9223372036854775807 exceeds the limit of 281474976710655")
    #expect(
      problem("size")
        == "\(path): the library's answer: b: resize: shape [1, 4, 31457280, 31457280] has 2^48 elements or more"
    )
    #expect(problem("none") == "\(path): gave no answer, or one of more than 64 MiB")
  }

  @Test func hugeGraph() throws {
    let folder = try TemporaryFolder()
    let path = try PluginFixtures.broken("huge-graph", into: folder)
    let huge = try #require(try Plugin.load(path: path).first)
    #expect {
      try huge.network()
    } throws: {
      "\($0)" == "\(path): the library's answer: nodes: 2000000 exceeds the limit of 20000"
    }
  }
}
