@testable import AviaryGraph
import Testing

/// What programs and plugins say to each other, without a library between them.
@Suite struct PluginMessageTests {
  /// The answers of a library that holds the toy.
  private static func toys(_ request: String) throws -> String {
    try PluginRequest(json: JSON(parsing: request)).answer([AnyArchitecture(Toy.self)]).text
  }

  private func problem(_ answer: @escaping @Sendable (String) throws -> String) -> String {
    do {
      let architectures = try Plugin.architectures(path: "p.so", ask: answer)
      return "\(try architectures.map { try $0.network().label })"
    } catch {
      return "\(error)"
    }
  }

  @Test func architectureCrossesWhole() throws {
    let original = AnyArchitecture(Toy.self)
    let loaded = try #require(
      try Plugin.architectures(path: "p.so", ask: PluginMessageTests.toys).first)
    #expect(loaded.info == original.info)
    #expect(loaded.presets == original.presets)
    #expect(loaded.publishedNames == original.publishedNames)
    let configuration: JSON = ["features": 5, "activation": "tanh"]
    #expect(try loaded.network(configuration) == original.network(configuration))
    var registry = Registry()
    try registry.register(loaded)
    let fit = try registry.detect(WeightIndex(try original.network(configuration).graph))
    #expect(fit.assumed == ["slope", "activation", "skip"])
    #expect(fit.network.configuration["features"] == 5)
  }

  @Test func failuresCross() throws {
    let loaded = try #require(
      try Plugin.architectures(path: "p.so", ask: PluginMessageTests.toys).first)
    func problem(_ configuration: JSON) -> String {
      do { return try loaded.network(configuration).label } catch { return "\(error)" }
    }
    #expect(problem(["scale": "x"]) == #"p.so: toy.scale: expected an integer, found "x""#)
    // Unknown members and numbers out of range are refused before the library is asked.
    #expect(problem(["scael": 2]).hasPrefix("toy: no option 'scael' (it has activation,"))
    #expect(problem(["blocks": []]) == "p.so: toy: blocks: expected at least one, found none")
  }

  @Test func requestsThatAreWrong() throws {
    func failure(_ request: String) -> String {
      do throws(GraphError) {
        let answer = try PluginRequest(json: JSON(parsing: request)).answer([
          AnyArchitecture(Toy.self)
        ])
        return answer["failure"]?.string ?? answer.text
      } catch {
        return "\(error)"
      }
    }
    #expect(failure("{}") == "request.version: expected an integer, found nothing")
    #expect(
      failure(#"{"version":2,"request":"list"}"#) == "request.version: expected 1, found 2")
    #expect(
      failure(#"{"version":1,"request":"run"}"#)
        == "request.request: expected 'list', 'build' or 'propose', found 'run'")
    #expect(
      failure(#"{"version":1,"request":"build","name":"toy"}"#)
        == "request.configuration: expected an object, found nothing")
    #expect(
      failure(#"{"version":1,"request":"build","name":"boy","configuration":{}}"#)
        == "boy: no such architecture; did you mean toy?")
    #expect(
      failure(#"{"version":1,"request":"propose","name":"toy","weights":{"head.weight":[1]}}"#)
        == #"{"proposals":[],"version":1}"#)
  }

  @Test(arguments: [
    ("", "p.so: the library's answer: invalid JSON: "),
    ("garbage", "p.so: the library's answer: invalid JSON: "),
    ("[]", "p.so: the library's answer: answer: expected an object, found an array"),
    ("{}", "p.so: the library's answer: answer.version: expected an integer, found nothing"),
    (#"{"version":2,"architectures":[]}"#, "p.so: expected messages of version 1, found 2"),
    (
      #"{"version":1}"#,
      "p.so: the library's answer: answer.architectures: expected a value, found nothing"
    ),
    (#"{"version":1,"failure":"no luck"}"#, "p.so: no luck"),
    (
      #"{"version":1,"architectures":{}}"#,
      "p.so: the library's answer: architectures: expected an array of at most 1000, found an object"
    ),
    (
      #"{"version":1,"architectures":[1]}"#,
      "p.so: the library's answer: architecture: expected an object, found an integer"
    ),
    (
      #"{"version":1,"architectures":[{"info":{"name":"a b"}}]}"#,
      "p.so: the library's answer: info.name: expected letters, digits, hyphens, dots, underscores, "
        + "plus signs, found 'a b'"
    ),
    (
      #"{"version":1,"architectures":[{"info":{"name":"../etc\nx"}}]}"#,
      "p.so: the library's answer: info.name: expected letters, digits, hyphens, dots, underscores, "
    ),
    (
      #"{"version":1,"architectures":[{"info":{"name":"a","kind":"magic"}}]}"#,
      "p.so: the library's answer: info.kind: expected 'restoration', 'features' or 'discriminator', "
        + "found 'magic'"
    ),
    (
      #"{"version":1,"architectures":[{"info":{"name":"a"},"presets":[]}]}"#,
      "p.so: the library's answer: a.presets: expected at least one preset, found none"
    ),
    (
      #"{"version":1,"architectures":[{"info":{"name":"a"},"presets":[{"name":"p","configuration":3}]}]}"#,
      "p.so: the library's answer: a.presets.configuration: expected an object, found an integer"
    ),
    (
      #"{"version":1,"architectures":[{"info":{"name":"a"},"presets":[{"name":"p","configuration":{}}],"#
        + #""publishedNames":[{"source":"s","pairs":[["{","x"]]}]}]}"#,
      "p.so: the library's answer: pattern '{': expected '{i}', '{i+1}' or '{2i}', found '{'"
    ),
  ])
  func answersThatAreWrong(_ answer: String, _ message: String) {
    #expect(problem { _ in answer }.hasPrefix(message))
  }

  /// A library that lists well and builds badly.
  @Test(arguments: [
    (#"{"version":1,"network":{}}"#, "network.graph: expected an object, found nothing"),
    (
      #"{"version":1,"network":{"graph":{"version":1},"picture":{"colour":"luma"}}}"#,
      "graph.inputs: expected an array, found nothing"
    ),
    (#"{"version":1,"network":7}"#, "network: expected an object, found an integer"),
    (
      #"{"version":1,"network":{"graph":{"version":1,"inputs":[{"name":"x","channels":1}],"#
        + #""nodes":[{"name":"a","op":"resize","kernel":"nearest","factor":4096,"inputs":["x"]},"#
        + #"{"name":"b","op":"resize","kernel":"nearest","factor":4096,"inputs":["a"]}],"#
        + #""outputs":[{"name":"y","value":"b"}]},"picture":{"colour":"luma"}}}"#,
      "a: resize: shape [1, 1, 31457280, 31457280] has 2^48 elements or more"
    ),
  ])
  func networksThatAreWrong(_ answer: String, _ message: String) {
    let list =
      #"{"version":1,"architectures":[{"info":{"name":"a"},"presets":[{"name":"p","configuration":{}}]}]}"#
    #expect(
      problem { $0.contains(#""request":"list""#) ? list : answer }
        == "p.so: the library's answer: " + message)
  }

  /// Names of presets and architectures that repeat, within one library.
  @Test func duplicatesInALibrary() throws {
    let answer = PluginRequest.list.answer([.toy("a"), .toy("a")]).text
    let architectures = try Plugin.architectures(path: "p.so") { _ in answer }
    var registry = Registry()
    try registry.register(architectures[0])
    #expect {
      try registry.register(architectures[1])
    } throws: {
      "\($0)" == "a: a second architecture of this name"
    }
  }
}
