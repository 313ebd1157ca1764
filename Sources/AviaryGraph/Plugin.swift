/// What can be wrong with a plugin.
public enum PluginError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is neither a library nor JSON.
  case notAPlugin(path: String, found: String)
  /// The file is not there or cannot be opened.
  case cannotRead(path: String, reason: String)
  /// The file cannot be loaded as a library.
  case notLoadable(path: String, reason: String)
  /// The library has no entry point.
  case noEntryPoint(path: String)
  /// The library gave nothing, or more than Aviary reads.
  case noAnswer(path: String)
  /// The library speaks another version of the messages.
  case version(path: String, expected: Int, found: Int)
  /// The answer is not what was asked for.
  case badAnswer(path: String, String)
  /// The library answered that it cannot.
  case failure(path: String, String)
  /// A declarative plugin does not say what it must.
  case badFile(path: String, String)
  /// An architecture of the plugin has a name that is taken.
  case duplicate(path: String, name: String)
  /// An entry of the list of plugins depends on the current folder.
  case relativeEntry(String)

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .notAPlugin(let path, let found):
      "\(path): expected a plugin's library or a JSON file, found \(found)"
    case .cannotRead(let path, let reason): "\(path): cannot be read: \(reason)"
    case .notLoadable(let path, let reason): "\(path): cannot be loaded as a plugin: \(reason)"
    case .noEntryPoint(let path):
      "\(path): the library has no function aviary_plugin_v1; it is not a plugin"
    case .noAnswer(let path): "\(path): gave no answer, or one of more than 64 MiB"
    case .version(let path, let expected, let found):
      "\(path): expected messages of version \(expected), found \(found)"
    case .badAnswer(let path, let what): "\(path): the library's answer: \(what)"
    case .failure(let path, let what): "\(path): \(what)"
    case .badFile(let path, let what): "\(path): \(what)"
    case .duplicate(let path, let name): "\(path): \(RegistryError.duplicate(name))"
    case .relativeEntry(let entry):
      "AVIARY_PLUGIN_PATH: expected absolute paths, found '\(entry)'"
    }
  }
}

/// Architectures that are not compiled in.
public enum Plugin {
  /// The architectures behind a library's entry point. What it answers is treated like a hostile
  /// file.
  ///
  /// - Parameters:
  ///   - path: where the library lies, for messages.
  ///   - ask: sends a request's text and gives the answer's.
  /// - Throws: `PluginError` for an answer of another version, or that is not what was asked for.
  public static func architectures(
    path: String, ask: @escaping @Sendable (String) throws -> String
  ) throws -> [AnyArchitecture] {
    @Sendable func reply(_ request: PluginRequest, _ member: String) throws -> JSON {
      let text = try ask(request.json.text)
      let members = try Members("answer", JSON(parsing: text))
      let version = try members.required("version", "an integer", \.int)
      guard version == PluginRequest.version else {
        throw PluginError.version(path: path, expected: PluginRequest.version, found: version)
      }
      if let failure = members["failure"]?.string {
        throw PluginError.failure(path: path, failure)
      }
      return try members.required(member, "a value") { $0 }
    }
    // What a library answers wrongly is the library's fault, and said so.
    @Sendable func checked<T>(_ body: () throws -> T) throws -> T {
      do { return try body() } catch let error as GraphError {
        throw PluginError.badAnswer(path: path, "\(error)")
      }
    }
    return try checked {
      let list = try reply(.list, "architectures")
      guard let list = list.array, list.count <= 1_000 else {
        throw GraphError.member(
          "architectures", expected: "an array of at most 1000", found: list.kind)
      }
      return try list.map { json in
        let (info, presets, names) = try AnyArchitecture.description(json)
        return AnyArchitecture(
          info: info, presets: presets, publishedNames: names,
          valuesRead: try Members("architecture", json).strings("valuesRead") ?? [],
          build: { configuration in
            try checked {
              let network = try Members(
                "network", reply(.build(info.name, configuration: configuration), "network"))
              return (
                try Graph(json: try network.required("graph", "an object") { $0 }),
                try ImageSpec(json: try network.required("picture", "an object") { $0 }),
                try (network["unused"]?.array ?? []).prefix(1_000).map {
                  try UnusedTensors(json: $0)
                }
              )
            }
          },
          propose: { weights in
            try checked {
              let proposals = try reply(.propose(info.name, weights), "proposals").array ?? []
              return try proposals.prefix(1_000).map { json in
                let members = try Members("proposal", json)
                return Proposal(
                  try members.required("configuration", "an object") { $0 },
                  assumed: try members.strings("assumed") ?? [],
                  alternatives: (members["alternatives"]?.object ?? [:])
                    .mapValues { $0.array ?? [] },
                  asked: try members.strings("asked") ?? [])
              }
            }
          })
      }
    }
  }

  /// The architecture that a declarative plugin describes: data, which runs no code.
  ///
  ///     {"aviary_plugin": 1,
  ///      "info": {"name": "tiny", "summary": "…", "paper": "…", "licence": "…"},
  ///      "picture": {"colour": "luma"},
  ///      "variants": {"tiny": {…a graph…}}}
  ///
  /// Its configuration has one member, `variant`, the name of a graph; the first in the alphabet is
  /// the default.
  ///
  /// - Throws: `PluginError.badFile`.
  public static func architecture(path: String, declared json: JSON) throws -> AnyArchitecture {
    do {
      let members = try Members("plugin", json)
      guard try members.required("aviary_plugin", "an integer", \.int) == 1 else {
        throw GraphError.member(
          "plugin.aviary_plugin", expected: "1", found: json["aviary_plugin"]?.text ?? "")
      }
      try members.refuse(allBut: ["aviary_plugin", "info", "picture", "variants"])
      let info = try ArchitectureInfo(json: try members.required("info", "an object") { $0 })
      let variants = try members.required("variants", "an object of graphs", \.object)
      guard !variants.isEmpty, variants.count <= 1_000 else {
        throw GraphError.member(
          "plugin.variants", expected: "1 to 1000 graphs", found: "\(variants.count)")
      }
      let graphs = try variants.mapValues { try Graph(json: $0) }
      let picture = try members["picture"].map { try ImageSpec(json: $0) }
      return AnyArchitecture(
        info: info,
        presets: graphs.keys.sorted().map {
          AnyArchitecture.Preset(name: $0, configuration: ["variant": .string($0)])
        },
        publishedNames: [],
        build: { configuration in
          guard let graph = configuration["variant"]?.string.flatMap({ graphs[$0] }) else {
            throw GraphError.configuration(
              info.name,
              "variant: expected one of \(graphs.keys.sorted().joined(separator: ", ")), "
                + "found \(configuration["variant"]?.text ?? "nothing")")
          }
          return (graph, picture ?? ImageSpec(channels: graph.inputs[0].channels), [])
        },
        propose: { _ in graphs.keys.sorted().map { Proposal(["variant": .string($0)]) } })
    } catch let error as GraphError {
      throw PluginError.badFile(path: path, "\(error)")
    }
  }
}

extension ArchitectureInfo {
  /// Reads what a plugin says of itself.
  fileprivate init(json: JSON) throws(GraphError) {
    let members = try Members("info", json)
    let name = try members.required("name", "a string", \.string)
    guard !name.isEmpty, name.utf8.count <= GraphLimits.name,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.+".contains($0)) })
    else {
      throw .member(
        "info.name", expected: "letters, digits, hyphens, dots, underscores, plus signs",
        found: "'\(name)'")
    }
    let kind = members["kind"]?.string ?? Kind.restoration.rawValue
    guard let kind = Kind(rawValue: kind) else {
      throw .member(
        "info.kind", expected: "'restoration', 'features' or 'discriminator'", found: "'\(kind)'")
    }
    self.init(
      name, kind: kind, summary: members["summary"]?.string ?? "",
      paper: members["paper"]?.string ?? "", licence: members["licence"]?.string ?? "",
      matchesStructure: members["matchesStructure"]?.bool ?? true)
  }
}

extension UnusedTensors {
  /// Reads what a library says of tensors that it does not use.
  fileprivate init(json: JSON) throws(GraphError) {
    let members = try Members("unused", json)
    try self.init(
      names: try members.required("names", "a string", \.string),
      reason: members["reason"]?.string ?? "",
      buffer: try members["buffer"].map { json throws(GraphError) in try Buffer(json: json) })
  }

  /// What a library says of them.
  var json: JSON {
    var members: [String: JSON] = ["names": .string(names), "reason": .string(reason)]
    if let buffer { members["buffer"] = buffer.json }
    return .object(members)
  }
}

extension AnyArchitecture {
  /// Reads what a library tells of an architecture.
  fileprivate static func description(
    _ json: JSON
  ) throws(GraphError) -> (ArchitectureInfo, [Preset], [NameMap]) {
    let members = try Members("architecture", json)
    let info = try ArchitectureInfo(json: try members.required("info", "an object") { $0 })
    var presets: [Preset] = []
    for preset in try members.required("presets", "an array", \.array).prefix(1_000) {
      let members = try Members("\(info.name).presets", preset)
      let configuration = try members.required("configuration", "an object", \.object)
      presets.append(
        Preset(
          name: try members.required("name", "a string", \.string),
          configuration: .object(configuration)))
    }
    guard !presets.isEmpty else {
      throw .member("\(info.name).presets", expected: "at least one preset", found: "none")
    }
    var names: [NameMap] = []
    for json in members["publishedNames"]?.array?.prefix(1_000) ?? [] {
      let map = try Members("\(info.name).publishedNames", json)
      names.append(
        try NameMap(
          try map.required("source", "a string", \.string),
          pairs: try map.required("pairs", "an array", \.array).prefix(1_000)
            .map { $0.array?.compactMap(\.string) ?? [] }))
    }
    return (info, presets, names)
  }
}
