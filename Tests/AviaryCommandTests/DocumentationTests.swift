import AviaryGraph
import AviaryTestSupport
import Foundation
import Testing

/// What the documents quote is what the program prints and what is compiled.
@Suite struct DocumentationTests {
  @Test func readmeHasTheTableOfArchitectures() throws {
    let outcome = try Outcome(["list", "--markdown"])
    let readme = try text("README.md")
    #expect(outcome.output.split(separator: "\n").count > 8)
    #expect(readme.contains(outcome.output), "README.md: the output of aviary list --markdown")
  }

  @Test(arguments: [[]] + HelpTests.commands.map { [$0] })
  func commandLineHasTheHelp(of command: [String]) throws {
    let help = try Outcome(command + ["--help"]).output
    let document = try text("Docs/CommandLine.md")
    let name = command.first ?? "aviary"
    #expect(help.contains("USAGE: aviary"))
    #expect(document.contains("```text\n\(help)```\n"), "Docs/CommandLine.md: \(name) --help")
  }

  @Test func guideQuotesAnArchitecture() throws {
    let source = try text("Plugins/SRCNN/SRCNN.swift")
    let guide = try text("Docs/Architectures.md")
    #expect(guide.contains("```swift\n\(source)```\n"), "Docs/Architectures.md: the whole of SRCNN")
  }

  @Test func fixturesOfPluginsAreThoseOfTheGuide() throws {
    // The declarative plugin of the guide is read by the program itself.
    let guide = try text("Docs/Plugins.md")
    let start = try #require(guide.range(of: "```json\n")?.upperBound)
    let end = try #require(guide[start...].range(of: "```")?.lowerBound)
    let folder = try TemporaryFolder()
    let plugin = try folder.file("sharpen.json", Array(guide[start..<end].utf8))
    let outcome = try Outcome(["info", "sharpen", "--plugin", plugin, "--json"])
    #expect(outcome.status == 0, "\(outcome.error)")
  }

  /// The table of graph JSON has every operation.
  @Test(arguments: Op.names) func guideHasTheOperation(_ name: String) throws {
    let rows = try text("Docs/Plugins.md").split(separator: "\n").filter { $0.hasPrefix("| `") }
    let operations = rows.compactMap { $0.split(separator: "|").first }
    #expect(operations.contains { $0.contains("`\(name)`") }, "Docs/Plugins.md has no line for it")
  }

  private func text(_ path: String) throws -> String {
    let url = SharedFolder.repository.appending(path: path)
    return String(decoding: try Data(contentsOf: url), as: UTF8.self)
  }
}
