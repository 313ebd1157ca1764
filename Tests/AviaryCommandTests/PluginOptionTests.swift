import AviaryTestSupport
import Foundation
import Testing

@Suite("--plugin and $AVIARY_PLUGIN_PATH")
struct PluginOptionTests {
  private let declared = PluginFixtures.path("soft-cubic.json")
  private let picture = fixture("pictures/rgb-8.png")

  @Test("a plugin's architectures are listed and described like any other")
  func listed() throws {
    let library = try PluginFixtures.thirdParty()
    let list = try Outcome(["list", "*s*", "--plugin", declared, "--plugin", library, "--json"])
    #expect(list.status == 0)
    let names = try #require(try list.json()["architectures"] as? [[String: Any]])
      .compactMap { $0["name"] as? String }
    #expect(names.contains("soft-cubic"))
    #expect(names.contains("tiny-sr"))
    #expect(names.contains("srcnn"))
    let info = try Outcome(["info", "tiny-sr:x3", "--plugin", library])
    #expect(info.status == 0)
    #expect(info.output.hasPrefix("tiny-sr:x3  Depthwise convolutions, then pixel shuffle\n"))
    expectFailure(
      try Outcome(["info", "tiny-sr"]), 66,
      "tiny-sr: a file, a checkpoint's name or an architecture expected, none found")
  }

  @Test("plugins of the environment are there for every command")
  func environment() throws {
    let folder = try TemporaryFolder()
    let run = try Outcome(
      ["run", "soft-cubic", picture, "-o", folder.file("large.png")],
      environment: ["AVIARY_PLUGIN_PATH": declared])
    #expect(run.error == "")
    #expect(run.status == 0)
    expectFailure(
      try Outcome(["list"], environment: ["AVIARY_PLUGIN_PATH": "soft-cubic.json"]), 65,
      "AVIARY_PLUGIN_PATH: absolute paths expected, 'soft-cubic.json' found")
  }

  @Test("weights of a plugin's architecture are converted with it, and run without it")
  func converted() throws {
    let folder = try TemporaryFolder()
    let library = try PluginFixtures.thirdParty()
    let weights = PluginFixtures.path("ThirdParty/Example/weights.pt")
    let model = folder.file("tiny.h5")
    let convert = try Outcome(["convert", weights, model, "--plugin", library, "--json"])
    #expect(convert.error == "")
    #expect(try convert.json()["architecture"] as? String == "tiny-sr")
    let without = try Outcome(["run", model, picture, "-o", folder.file("without.png")])
    #expect(without.error == "")
    #expect(without.status == 0)
    let with = try Outcome([
      "run", weights, picture, "-o", folder.file("with.png"), "--plugin", library, "--quiet",
    ])
    #expect(with.error == "")
    #expect(
      try Data(contentsOf: URL(filePath: folder.file("with.png")))
        == Data(contentsOf: URL(filePath: folder.file("without.png"))))
  }

  @Test("what is no plugin is said to be none, by every command")
  func refused() throws {
    let folder = try TemporaryFolder()
    let text = try folder.file("plugin.so", Array("nothing".utf8))
    let library = try PluginFixtures.broken("no-entry-point", into: folder)
    let commands = [
      ["list"], ["info", "srcnn"], ["inspect", fixture("weights/whole.pt")],
      ["convert", fixture("weights/whole.pt"), folder.file("out.h5")],
      ["run", "bicubic", picture, "-o", folder.file("out.png")],
      ["eval", "bicubic", "--data", fixture("pictures"), "--scale", "2"],
    ]
    for command in commands {
      expectFailure(
        try Outcome(command + ["--plugin", text]), 65,
        "\(text): a plugin's library or a JSON file expected, a text file found")
      expectFailure(
        try Outcome(command + ["--plugin", library]), 65,
        "\(library): a library with the function aviary_plugin_v1 expected, none found")
      expectFailure(
        try Outcome(command + ["--plugin", folder.file("none.so")]), 66,
        "\(folder.file("none.so")): cannot be read: no such file or directory")
    }
    expectFailure(
      try Outcome(["list", "--plugin", declared, "--plugin", try copy(of: declared, in: folder)]),
      65, "\(folder.file("copy.json")): soft-cubic: a second architecture of this name")
    #expect(try folder.names == ["copy.json", "no-entry-point.so", "plugin.so"])
  }

  private func copy(of path: String, in folder: borrowing TemporaryFolder) throws -> String {
    try folder.file("copy.json", Array(try Data(contentsOf: URL(filePath: path))))
  }

  @Test("a plugin's graph whose sizes overflow is refused")
  func overflow() throws {
    let folder = try TemporaryFolder()
    let text = try String(contentsOfFile: declared, encoding: .utf8)
      .replacingOccurrences(of: "\"factor\": 3", with: "\"factor\": 9223372036854775807")
    let path = try folder.file("hostile.json", Array(text.utf8))
    expectFailure(
      try Outcome(["list", "--plugin", path]), 65,
      "\(path): enlarged: factor: an integer or [numerator, denominator], 1 to 4096 expected, "
        + "9223372036854775807 found")
  }
}
