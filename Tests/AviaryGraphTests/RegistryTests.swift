@testable import AviaryGraph
import Testing

/// Architectures by name.
@Suite struct RegistryTests {
  private func registry(_ names: String...) throws -> Registry {
    var registry = Registry()
    for name in names { try registry.register(.toy(name)) }
    return registry
  }

  @Test func lookup() throws {
    let registry = try registry("residual-cae", "plain-cae", "srcnn")
    #expect(try registry["srcnn"].info.name == "srcnn")
    #expect(registry.architectures.map(\.info.name) == ["plain-cae", "residual-cae", "srcnn"])
    func problem(_ name: String) -> String {
      do throws(RegistryError) { return try registry[name].info.name } catch { return "\(error)" }
    }
    #expect(problem("srcn") == "srcn: no such architecture; did you mean srcnn?")
    #expect(problem("SRCNN") == "SRCNN: no such architecture; did you mean srcnn?")
    #expect(
      problem("residual_cae") == "residual_cae: no such architecture; did you mean residual-cae?")
    #expect(
      problem("transformer")
        == "transformer: no such architecture; known: plain-cae, residual-cae, srcnn")
    #expect(problem("") == ": no such architecture; known: plain-cae, residual-cae, srcnn")
    #expect(problem(String(repeating: "x", count: 1_000_000)).hasSuffix("residual-cae, srcnn"))
  }

  @Test func duplicates() throws {
    var registry = try registry("srcnn")
    #expect {
      try registry.register(.toy("srcnn"))
    } throws: {
      "\($0)" == "srcnn: a second architecture of this name"
    }
    #expect(registry.architectures.count == 1)
  }

  @Test(arguments: [
    ("*", "carn espcn fusion-cae plain-cae residual-cae srcnn"),
    ("*cae*", "fusion-cae plain-cae residual-cae"), ("*cae", "fusion-cae plain-cae residual-cae"),
    ("cae*", ""), ("srcnn", "srcnn"), ("*cn*", "espcn srcnn"), ("?????", "espcn srcnn"),
    ("?s*n", "espcn"), ("*a*a*", "plain-cae residual-cae"), ("", ""),
    ("**n", "carn espcn srcnn"), ("*n-*", "fusion-cae plain-cae"), ("???*n", "carn espcn srcnn"),
    ("SRCNN", ""), ("[a-z]*", ""),
  ])
  func wildcards(_ pattern: String, _ expected: String) throws {
    let registry = try registry(
      "plain-cae", "residual-cae", "fusion-cae", "srcnn", "espcn", "carn")
    #expect(
      registry.matching(pattern).map(\.info.name).joined(separator: " ") == expected)
  }

  /// A pattern of stars that never matches must not take for ever.
  @Test func hostilePattern() throws {
    let registry = try registry(String(repeating: "a", count: 400))
    let pattern = String(repeating: "a*", count: 200) + "b"
    #expect(registry.matching(pattern).isEmpty)
  }

  @Test func presets() throws {
    let toy = AnyArchitecture.toy("toy")
    #expect(toy.presets.map(\.name) == ["default", "wide"])
    #expect(try toy.preset("wide")["features"] == 32)
    #expect {
      try toy.preset("wider")
    } throws: {
      "\($0)" == "toy: no preset 'wider' (it has default, wide)"
    }
  }

  /// The nearest of some names, or none.
  @Test(
    arguments: [
      ("convolutoin", "convolution"), ("conv", nil), ("tanhh", "tanh"), ("Relu", "relu"),
      ("rel", "relu"), ("xyz", nil), ("leakyrelu", "leakyRelu"),
    ] as [(String, String?)])
  func nearest(_ name: String, _ expected: String?) {
    #expect(name.nearest(in: ["convolution", "relu", "tanh", "leakyRelu"]) == expected)
  }
}
