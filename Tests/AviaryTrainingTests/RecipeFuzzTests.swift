import AviaryTestSupport
import AviaryTraining
import Foundation
import Testing

@Suite("Recipes: hostile text neither traps nor hangs")
struct RecipeFuzzTests {
  @Test("changed recipes")
  func mutated() throws {
    let folder = try TemporaryFolder()
    let recipes = SharedFolder.repository.appending(path: "checkpoints/recipes")
    let names = try FileManager.default.subpathsOfDirectory(atPath: recipes.path)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    var originals = try names.map { Array(try Data(contentsOf: recipes.appending(path: $0))) }
    var full = Recipe("a", data: DataRecipe(targets: "b c"))
    full.adversarial = AdversarialRecipe()
    full.data.degradations = [.noise(deviation: 1...2)]
    originals.append(Array(full.yaml.utf8))
    originals.append(
      Array("a: &a [*a, !t {? b : 'c'}]\nd: |\n  e\nf: >-\n  g\n\"\\ud800\": \"\\x80\"".utf8))
    let fuzzing = try Fuzzing("recipes", originals, in: folder, name: "r.yaml") { path in
      let recipe = try Recipe(contentsOf: path)
      // What is read can be written, and reads back as it was.
      #expect(try Recipe(yaml: recipe.yaml) == recipe)
    }
    #expect(fuzzing.files > 20)
    #expect(fuzzing.slowest < 2, "\(fuzzing)")
  }

  @Test("text that is made to be expensive", arguments: bombs)
  func bomb(_ name: String, _ text: String) throws {
    let duration = ContinuousClock().measure {
      #expect(throws: TrainingError.self) { try Recipe(yaml: text) }
    }
    #expect(duration < .seconds(5), "\(name): \(duration)")
  }

  static let bombs: [(String, String)] = {
    func times(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
    let laughs = (1...9).map { i in
      "a\(i): &a\(i) [\(times("*a\(i - 1), ", 8))*a\(i - 1)]"
    }.joined(separator: "\n")
    let doubles = (1...8).map { "a\($0): &a\($0) {? *a\($0 - 1) : *a\($0 - 1)}" }
      .joined(separator: "\n")
    return [
      ("a billion laughs", "a0: &a0 [x]\n\(laughs)"),
      ("keys that double", "a0: &a0 [x]\n\(doubles)"),
      ("brackets", times("[", 65_000)),
      ("closed brackets", times("[", 900) + times("]", 900)),
      ("braces", times("{a: ", 16_000)),
      ("dashes", times("- ", 32_000)),
      ("nested dashes", times("- ", 900) + "a"),
      ("questions", times("? ", 32_000)),
      ("questions in brackets", times("[? ", 20_000)),
      ("many names", (0..<9000).map { "a\($0):" }.joined(separator: "\n")),
      ("a long name", times("a", 65_000) + ": 1"),
      ("a long number", "steps: " + times("9", 65_000)),
      ("many losses", "architecture: a\nlosses: [" + times("l1, ", 10_000) + "l1]"),
      ("quotes", times("\"a\" ", 16_000)),
      ("colons", times("a: ", 20_000)),
      ("lines", times("\n", 65_000) + "["),
    ]
  }()
}
