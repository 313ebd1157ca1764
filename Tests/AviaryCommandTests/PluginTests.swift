import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

@Suite("Plugins on the command line")
struct PluginTests {
  private let picture = fixture("pictures/rgb-8.png")
  private let weights = PluginFixtures.path("ThirdParty/Example/weights.pt")

  @Test("a third party's architecture is listed and described beside the built-in ones")
  func listed() throws {
    let library = try PluginFixtures.thirdParty()
    let list = try Outcome(["list", "--plugin", library])
    #expect(list.status == 0)
    #expect(list.error == "")
    let lines = list.output.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("tiny-sr ") && $0.hasSuffix("then pixel shuffle") })
    #expect(lines.contains { $0.hasPrefix("residual-cae ") })
    let named = try Outcome(
      ["list", "tiny*", "--json"], environment: ["AVIARY_PLUGIN_PATH": library])
    let architectures = try #require(try named.json()["architectures"] as? [[String: Any]])
    #expect(architectures.compactMap { $0["name"] as? String } == ["tiny-sr"])
    #expect(architectures.first?["licence"] as? String == "MIT")
    let info = try Outcome(["info", "tiny-sr:x3", "--json", "--plugin", library])
    #expect(info.status == 0)
    let graph = try #require(try info.json()["graph"] as? [String: Any])
    #expect((graph["nodes"] as? [Any])?.count == 11)
    #expect(try Outcome(["info", "tiny-sr"]).status == 66)
  }

  @Test("its weights are converted with the plugin, and run without")
  func convertedAndRun() throws {
    let library = try PluginFixtures.thirdParty()
    let folder = try TemporaryFolder()
    let checkpoint = folder.file("tiny.h5")
    let convert = try Outcome(["convert", weights, checkpoint, "--plugin", library, "--json"])
    #expect(convert.status == 0)
    let report = try #require(try convert.json()["report"] as? [String: Any])
    #expect(report["architecture"] as? String == "tiny-sr")
    #expect((report["renamed"] as? [Any])?.count == 8)
    let direct = folder.file("direct.png"), later = folder.file("later.png")
    let withPlugin = try Outcome([
      "run", weights, picture, "-o", direct, "--plugin", library, "--quiet",
    ])
    #expect(withPlugin.status == 0)
    // The checkpoint holds its own graph.
    let without = try Outcome(["run", checkpoint, picture, "-o", later, "--quiet"])
    #expect(without.status == 0)
    #expect(without.error == "")
    let small = try ImageReader(path: picture).header,
      large = try ImageReader(path: later).header
    #expect(large.width == 2 * small.width && large.height == 2 * small.height)
    #expect(try Data(contentsOf: URL(filePath: direct)) == Data(contentsOf: URL(filePath: later)))
    #expect(try Outcome(["inspect", checkpoint, "--verify"]).status == 0)
    let absent = try Outcome(["run", weights, picture, "-o", folder.file("none.png")])
    #expect(absent.status == 65)
    #expect(
      absent.error.hasPrefix(
        "aviary: \(weights): no architecture has exactly these 10 tensors; nearest: "))
  }

  @Test("a plugin that is data runs too")
  func declared() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("soft.png")
    let run = try Outcome([
      "run", "soft-cubic", picture, "-o", output, "--plugin",
      PluginFixtures.path("soft-cubic.json"),
    ])
    #expect(run.status == 0)
    let width = try ImageReader(path: picture).header.width
    #expect(try ImageReader(path: output).header.width == 2 * width)
  }

  @Test("a plugin that cannot be used is one line, and nothing is done")
  func refused() throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(["list", "--plugin", folder.file("none.so")]), 66,
      "\(folder.file("none.so")): cannot be read: no such file or directory")
    expectFailure(
      try Outcome(["list"], environment: ["AVIARY_PLUGIN_PATH": "plugin.so"]), 65,
      "AVIARY_PLUGIN_PATH: expected absolute paths, found 'plugin.so'")
    let version = try PluginFixtures.broken("another-version", into: folder)
    expectFailure(
      try Outcome(["list", "--plugin", version]), 65,
      "\(version): expected messages of version 1, found 2")
    let duplicate = try PluginFixtures.broken("duplicate", into: folder)
    expectFailure(
      try Outcome(["list", "--plugin", duplicate]), 65,
      "\(duplicate): srcnn: a second architecture of this name")
    expectFailure(
      try Outcome(["list", "--plugin", picture]), 65,
      "\(picture): expected a plugin's library or a JSON file, found a PNG image")
  }

  @Test("every command refuses a file that is no plugin, before it does anything")
  func refusedByEveryCommand() throws {
    let folder = try TemporaryFolder()
    let plugin = try folder.file("plugin.so", Array("nothing".utf8))
    for command in [
      ["list"], ["info", "srcnn"], ["inspect", weights],
      ["convert", weights, folder.file("out.h5")],
      ["run", "bicubic", picture, "-o", folder.file("out.png")],
      ["eval", "bicubic", "--data", fixture("pictures"), "--scale", "2"],
      ["compare", "bicubic", picture, "-o", folder.file("out.png")],
    ] {
      expectFailure(
        try Outcome(command + ["--plugin", plugin]), 65,
        "\(plugin): expected a plugin's library or a JSON file, found a text file")
    }
    #expect(try folder.names == ["plugin.so"])
  }

  @Test("a plugin's graph whose sizes overflow is refused")
  func overflow() throws {
    let folder = try TemporaryFolder()
    let declared = PluginFixtures.path("soft-cubic.json")
    let text = try String(contentsOfFile: declared, encoding: .utf8)
      .replacingOccurrences(of: "\"factor\": 3", with: "\"factor\": 9223372036854775807")
    let path = try folder.file("hostile.json", Array(text.utf8))
    expectFailure(
      try Outcome(["list", "--plugin", path]), 65,
      "\(path): enlarged: factor: expected an integer or [numerator, denominator], 1 to 4096, "
        + "found 9223372036854775807")
  }
}
