import AviaryTestSupport
import Foundation
import Testing

/// That no type of error ends the program with a status that nobody chose.
@Suite struct ErrorStatusTests {
  /// What never leaves its module.
  private static let inner: Set = [
    "HDF5Error", "HDF5Silence", "NumberProblem", "Problem", "RecipeProblem", "Uncommon",
    "WholeImage",
  ]

  @Test("every type of error says its status")
  func everyType() throws {
    let sources = SharedFolder.repository.appending(path: "Sources")
    let declaration = /(?:enum|struct|class) (\w+): (?:\w+, )*Error\b/
    let conformance = /extension (\w+): ErrorWithStatus/
    var (declared, mapped): (Set<String>, Set<String>) = ([], [])
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    for case let file as URL in try #require(files) where file.pathExtension == "swift" {
      let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
      for match in text.matches(of: declaration) { declared.insert(String(match.1)) }
      for match in text.matches(of: conformance) { mapped.insert(String(match.1)) }
    }
    #expect(declared.count > 10)
    #expect(declared.subtracting(mapped).subtracting(Self.inner) == [])
    // What is gone is not excepted for ever.
    #expect(Self.inner.subtracting(declared) == [])
  }
}
