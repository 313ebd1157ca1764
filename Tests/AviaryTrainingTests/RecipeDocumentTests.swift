import AviaryTestSupport
import AviaryTraining
import Foundation
import Testing

@Suite("Docs/Training.md")
struct RecipeDocumentTests {
  private func guide() throws -> String {
    let url = SharedFolder.repository.appending(path: "Docs/Training.md")
    return String(decoding: try Data(contentsOf: url), as: UTF8.self)
  }

  @Test("has the table of fields")
  func fields() throws {
    #expect(
      try guide().contains("\n\(RecipeField.markdown)<!-- end -->"), "\(RecipeField.markdown)")
  }

  @Test("shows a recipe that is one")
  func example() throws {
    let guide = try guide()
    let start = try #require(guide.range(of: "```yaml\n")?.upperBound)
    let end = try #require(guide[start...].range(of: "```")?.lowerBound)
    try Recipe(yaml: String(guide[start..<end])).check()
  }
}
