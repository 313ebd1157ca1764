internal import FoundationEssentials

/// What a program asks a plugin's library, as JSON.
enum PluginRequest: Sendable {
  /// The architectures in the library.
  case list
  /// The graph and image of a complete configuration.
  case build(String, configuration: JSON)
  /// The configurations that weights may have been trained with.
  case propose(String, WeightIndex)

  /// The version of the messages. A library answers only its own.
  static let version = 1

  var json: JSON {
    switch self {
    case .list: ["version": .int(PluginRequest.version), "request": "list"]
    case .build(let name, let configuration):
      [
        "version": .int(PluginRequest.version), "request": "build", "name": .string(name),
        "configuration": configuration,
      ]
    case .propose(let name, let weights):
      [
        "version": .int(PluginRequest.version), "request": "propose", "name": .string(name),
        "weights": .object(weights.shapes.mapValues(JSON.ints)),
        "values": .object(weights.values.mapValues { .array($0.map(JSON.number)) }),
      ]
    }
  }

  init(json: JSON) throws(GraphError) {
    let members = try Members("request", json)
    let version = try members.required("version", "an integer", \.int)
    guard version == PluginRequest.version else {
      throw .member(
        "request.version", expected: "\(PluginRequest.version)", found: "\(version)")
    }
    switch try members.required("request", "a string", \.string) {
    case "list": self = .list
    case "build":
      self = .build(
        try members.required("name", "a string", \.string),
        configuration: try members.required("configuration", "an object") { $0 })
    case "propose":
      self = .propose(
        try members.required("name", "a string", \.string),
        WeightIndex(
          try members.required("weights", "an object of shapes") { json in
            json.object?.mapValues { $0.array?.compactMap(\.int) ?? [] }
          }, values: (members["values"]?.object ?? [:]).mapValues { $0.numbers ?? [] }))
    case let other:
      throw .member(
        "request.request", expected: "'list', 'build' or 'propose'", found: "'\(other)'")
    }
  }
}

extension PluginRequest {
  /// The answer of a library that holds `architectures`. Whatever goes wrong is an answer too.
  func answer(_ architectures: [AnyArchitecture]) -> JSON {
    do {
      func named(_ name: String) throws -> AnyArchitecture {
        var registry = Registry()
        for architecture in architectures { try registry.register(architecture) }
        return try registry[name]
      }
      switch self {
      case .list: return PluginRequest.reply("architectures", .array(architectures.map(\.json)))
      case .build(let name, let configuration):
        let network = try named(name).network(configuration)
        return PluginRequest.reply(
          "network",
          [
            "graph": network.graph.json, "picture": network.picture.json,
            "unused": .array(network.unused.map(\.json)),
          ])
      case .propose(let name, let weights):
        let proposals = try named(name).proposals(for: weights)
        return PluginRequest.reply(
          "proposals",
          .array(
            proposals.map {
              [
                "configuration": $0.configuration,
                "assumed": .array($0.assumed.map(JSON.string)),
                "alternatives": .object($0.alternatives.mapValues(JSON.array)),
                "asked": .array($0.asked.map(JSON.string)),
              ]
            }))
      }
    } catch {
      return PluginRequest.reply("failure", .string("\(error)"))
    }
  }

  static func reply(_ member: String, _ value: JSON) -> JSON {
    .object(["version": .int(version), member: value])
  }
}

extension AnyArchitecture {
  /// What a library tells of an architecture.
  var json: JSON {
    [
      "info": [
        "name": .string(info.name), "kind": .string(info.kind.rawValue),
        "summary": .string(info.summary), "paper": .string(info.paper),
        "licence": .string(info.licence), "matchesStructure": .bool(info.matchesStructure),
      ],
      "valuesRead": .array(valuesRead.map(JSON.string)),
      "presets": .array(
        presets.map { ["name": .string($0.name), "configuration": $0.configuration] }),
      "publishedNames": .array(
        publishedNames.map { names in
          [
            "source": .string(names.source),
            "pairs": .array(names.text.map { .array($0.map(JSON.string)) }),
          ]
        }),
    ]
  }
}

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The type of a plugin library's one C function, `char *aviary_plugin_v1(const char *request)`.
/// Request and answer are JSON text; the answer is the caller's to `free`.
public typealias PluginEntryPoint =
  @convention(c) (UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>?

/// The entry point of a plugin library: it is in every image that AviaryGraph is linked into, and
/// speaks for the architectures linked into the same image. (The program carries it too, unused.)
@c(aviary_plugin_v1)
public func pluginEntryPoint(
  _ request: UnsafePointer<CChar>
) -> UnsafeMutablePointer<CChar>? {
  let answer: JSON
  do throws(GraphError) {
    let text = unsafe String(cString: request)
    answer = try PluginRequest(json: JSON(parsing: text)).answer(linkedArchitectures)
  } catch {
    answer = PluginRequest.reply("failure", .string("\(error)"))
  }
  return unsafe strdup(answer.text)
}
