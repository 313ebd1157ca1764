import ArgumentParser
import Aviary
import AviaryCheckpoint
import AviaryGraph

/// What the user states about other frameworks' weights: what neither names nor shapes show, or what
/// is not to be guessed.
struct WeightsOptions: ParsableArguments {
  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("The architecture, instead of recognising it.", valueName: "name"),
    completion: .architectures)
  var architecture: String?

  @Option(
    help: ArgumentHelp(
      "Members of the architecture's configuration, such as '{\"padding\": \"valid\"}'.",
      valueName: "json"),
    transform: JSONObject.init)
  var config: JSONObject?

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp(
      "What the network's channels are: \(Picture.Colour.words).", valueName: "colours"),
    completion: .list(Picture.Colour.allCases.map(\.rawValue)),
    transform: Picture.Colour.init(word:))
  var colour: Picture.Colour?

  /// The options by name that were given, to be refused where they would have no effect.
  var stated: [String] {
    [
      architecture.map { _ in "--as" }, config.map { _ in "--config" },
      colour.map { _ in "--input" },
    ].compactMap { $0 }
  }

  /// For an import.
  func importOptions(scale: Int? = nil, allowMissing: Bool = false) -> ImportOptions {
    ImportOptions(
      architecture: architecture, configuration: config?.json ?? [:], colour: colour, scale: scale,
      allowMissing: allowMissing)
  }
}

/// A JSON object on the command line. Its members are checked by the architecture, which knows them.
struct JSONObject: Sendable {
  let json: JSON

  /// - Throws: `GraphError` for anything else.
  init(_ text: String) throws(GraphError) {
    json = try JSON(parsing: text)
    guard json.object != nil else {
      throw .member("configuration", expected: "an object", found: json.kind)
    }
  }
}

extension Picture.Colour {
  /// All of them, for help and messages.
  fileprivate static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }

  /// - Throws: `ValidationError` that lists the words.
  fileprivate init(word: String) throws {
    guard let colour = Picture.Colour(rawValue: word) else {
      throw ValidationError("one of \(Picture.Colour.words) expected")
    }
    self = colour
  }
}
