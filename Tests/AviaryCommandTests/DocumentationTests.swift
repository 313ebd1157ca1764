import AviaryTestSupport
import Foundation
import Testing

@Suite("The documents say what the program says")
struct DocumentationTests {
  private func document(_ path: String) throws -> String {
    try String(contentsOf: SharedFolder.repository.appending(path: path), encoding: .utf8)
  }

  @Test(
    "Docs/CommandLine.md has the help of every command",
    arguments: [[]] + HelpTests.commands.map { [$0] })
  func commandLine(_ command: [String]) throws {
    let help = try Outcome(command + ["--help"]).output.trimmingCharacters(in: .newlines)
    #expect(try document("Docs/CommandLine.md").contains("```text\n\(help)\n```\n"))
  }
}
