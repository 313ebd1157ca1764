import AviaryFormats
import ArgumentParser
import Aviary
import AviaryCheckpoint
import AviaryFiles
import AviaryGraph

/// What the user states about third-party weights: what neither names nor shapes show, or what
/// should not be guessed.
struct WeightsOptions: ParsableArguments {
  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("Architecture, instead of detecting it.", valueName: "name"),
    completion: .architectures)
  var architecture: String?

  @Option(
    help: ArgumentHelp(
      "Configuration members of the architecture, such as '{\"padding\": \"valid\"}'.",
      valueName: "json"),
    transform: JSONObject.init)
  var config: JSONObject?

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp(
      "How the network takes images: \(ImageSpec.Colour.words); or members of its image "
        + "description as JSON, such as '{\"colour\": \"luma\", \"enlargeFirst\": \"bicubic\"}' or "
        + "'{\"range\": [0, 255]}'.", valueName: "image"),
    completion: .list(ImageSpec.Colour.allCases.map(\.rawValue)),
    transform: ImageStatement.init)
  var picture: ImageStatement?

  @Option(
    name: .customLong("map"),
    help: ArgumentHelp(
      "JSON file of pairs of layer names, in the file and in the network, with {i} for numbers.",
      valueName: "rules.json"),
    completion: .file(extensions: ["json"]))
  var rules: String?

  @Option(
    name: .customLong("shuffle-order"),
    help: ArgumentHelp(
      "Channel order of pixel shuffles: pytorch or tensorflow (default: that of the file's "
        + "framework).", valueName: "order"),
    completion: .list(ChannelOrder.allCases.map(\.rawValue)),
    transform: { text in
      guard let order = ChannelOrder(rawValue: text) else {
        throw ValidationError("expected one of pytorch, tensorflow")
      }
      return order
    })
  var shuffleOrder: ChannelOrder?

  @Option(
    help: ArgumentHelp(
      "Which of several dictionaries of tensors in a PyTorch file: a key, such as params or "
        + "generator.", valueName: "key"))
  var part: String?

  @Flag(
    help: "Flip kernels: for Keras files trained with the Theano backend.")
  var theanoKernels = false

  @Option(
    help: ArgumentHelp(
      "Size of image that an ONNX network takes, WIDTHxHEIGHT, where the file does not say; or any, "
        + "where it states that of an example.", valueName: "size"),
    transform: ONNXOptions.InputSize.init(argument:))
  var size: ONNXOptions.InputSize?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Value of an input of an ONNX network that is a single number; may be repeated.",
      valueName: "name=number"),
    transform: NumberStatement.init)
  var numbers: [NumberStatement] = []

  /// The names of the options given, so that they can be refused where they would have no effect.
  var stated: [String] {
    [
      architecture.map { _ in "--as" }, config.map { _ in "--config" },
      picture.map { _ in "--input" }, rules.map { _ in "--map" },
      shuffleOrder.map { _ in "--shuffle-order" }, theanoKernels ? "--theano-kernels" : nil,
      part.map { _ in "--part" },
      size.map { _ in "--size" }, numbers.isEmpty ? nil : "--set",
    ].compactMap { $0 }
  }

  /// The options for an import.
  ///
  /// - Throws: an error in the file of rules.
  func importOptions(scale: Int? = nil, allowMissing: Bool = false) throws -> ImportOptions {
    ImportOptions(
      architecture: architecture, configuration: config?.json ?? [:],
      picture: picture?.json ?? [:], scale: scale, allowMissing: allowMissing,
      names: try rules.map { try NameMap(contentsOf: $0) }, shuffleOrder: shuffleOrder,
      reading: reading)
  }

  /// What the user states about the file itself.
  var reading: ReadingOptions {
    var onnx = ONNXOptions()
    onnx.size = size
    for statement in numbers { onnx.numbers[statement.name] = statement.value }
    return ReadingOptions(theanoKernels: theanoKernels, part: part, onnx: onnx)
  }

  /// What the user states, in words, for the card.
  var statements: [String] {
    [
      architecture.map { "architecture: \($0)" },
      config.map { "configuration: \($0.json.text)" },
      picture.map { "image: \($0.json.text)" },
      rules.map { "names: rules of \($0.fileName)" },
      shuffleOrder.map { "pixel shuffle order: \($0.rawValue)" },
      theanoKernels ? "kernels trained with Theano" : nil,
      part.map { "part: \($0)" },
      size.map { "size: \($0.text)" },
    ].compactMap { $0 }.map { "\($0) (stated)" }
      + numbers.map { "input \($0.name): \($0.value) (stated)" }
  }
}

extension ONNXOptions.InputSize {
  /// A size on the command line: `28x28`, width first, or `any`.
  ///
  /// - Throws: `ValidationError` for anything else.
  fileprivate init(argument: String) throws {
    if argument == "any" {
      self = .any
      return
    }
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1],
      (1...1 << 16).contains(width), (1...1 << 16).contains(height)
    else { throw ValidationError("a size such as 28x28 or the word 'any' is needed") }
    self = .only(Size(height, width))
  }

  /// As it stands on the command line.
  fileprivate var text: String {
    switch self {
    case .any: "any"
    case .only(let size): "\(size.width)x\(size.height)"
    }
  }
}

/// A name and a number on the command line: `sigma=25`.
struct NumberStatement: Sendable {
  let name: String
  let value: Double

  /// - Throws: `ValidationError` for anything else.
  init(_ text: String) throws {
    guard let equals = text.lastIndex(of: "="), equals > text.startIndex,
      let value = Double(text[text.index(after: equals)...]), value.isFinite
    else { throw ValidationError("a name and a number, such as sigma=25, are needed") }
    (name, self.value) = (String(text[..<equals]), value)
  }
}

/// A JSON object on the command line. Its members are checked by the architecture, which knows
/// them.
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

/// An image description on the command line: a word for the colours, or a JSON object with members.
struct ImageStatement: Sendable {
  let json: JSON

  /// - Throws: `ValidationError` that lists the words, `GraphError` for what is no JSON.
  init(_ text: String) throws {
    if text.contains("{") {
      let json = try JSON(parsing: text)
      guard json.object != nil else { throw ValidationError("expected an object") }
      self.json = json
    } else {
      guard ImageSpec.Colour(rawValue: text) != nil else {
        throw ValidationError("expected one of \(ImageSpec.Colour.words)")
      }
      json = ["colour": .string(text)]
    }
  }
}

extension ImageSpec.Colour {
  /// All of them, for help and messages.
  fileprivate static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
