/// A network with all that belongs to it: what a configuration stands for.
public struct Network: Hashable, Sendable {
  /// The name of the architecture.
  public var architecture: String
  /// The complete configuration, as JSON.
  public var configuration: JSON
  /// The operations.
  public var graph: Graph
  /// How it takes and gives images.
  public var picture: ImageSpec
  /// Tensors that files hold beside the parameters and that nothing reads.
  public var unused: [UnusedTensors]

  /// A network.
  public init(
    architecture: String, configuration: JSON, graph: Graph, picture: ImageSpec,
    unused: [UnusedTensors] = []
  ) {
    self.architecture = architecture
    self.configuration = configuration
    self.graph = graph
    self.picture = picture
    self.unused = unused
  }
}

/// An architecture behind closures: compiled in, loaded from a library, or read from a file.
public struct AnyArchitecture: Sendable {
  /// A named configuration.
  public struct Preset: Hashable, Sendable {
    /// Unique within the architecture.
    public var name: String
    /// The complete configuration, as JSON.
    public var configuration: JSON
  }

  /// What it is called and where it comes from.
  public let info: ArchitectureInfo
  /// Named configurations, the default one first; never empty.
  public let presets: [Preset]
  /// How published sources name the layers.
  public let publishedNames: [NameMap]
  /// The names of small tensors whose values are looked at for recognition.
  public let valuesRead: [String]
  private let build: @Sendable (JSON) throws -> Built
  private let propose: @Sendable (WeightIndex) throws -> [Proposal<JSON>]

  /// What a configuration stands for.
  typealias Built = (graph: Graph, picture: ImageSpec, unused: [UnusedTensors])

  /// An architecture from anywhere. What the closures give is checked by whoever calls them.
  init(
    info: ArchitectureInfo, presets: [Preset], publishedNames: [NameMap],
    valuesRead: [String] = [], build: @escaping @Sendable (JSON) throws -> Built,
    propose: @escaping @Sendable (WeightIndex) throws -> [Proposal<JSON>]
  ) {
    self.info = info
    self.presets = presets
    self.publishedNames = publishedNames
    self.valuesRead = valuesRead
    self.build = build
    self.propose = propose
  }

  /// An architecture written in Swift.
  public init<A: Architecture>(_ architecture: A.Type) {
    @Sendable func decode(_ json: JSON) throws(GraphError) -> A.Configuration {
      try .init(json: json, of: A.info.name)
    }
    self.init(
      info: A.info,
      presets: A.presets.map { name, configuration in
        guard let json = try? JSON(encoding: configuration) else {
          preconditionFailure("\(A.info.name): preset \(name) does not encode")
        }
        return Preset(name: name, configuration: json)
      },
      publishedNames: A.publishedNames, valuesRead: A.valuesRead,
      build: { json in
        let configuration = try decode(json)
        return (
          try Graph(A.self, configuration), A.picture(configuration), A.unused(configuration)
        )
      },
      propose: { weights in
        try A.configurations(of: weights).map { try $0.map { try JSON(encoding: $0) } }
      })
  }

  /// The network of a configuration.
  ///
  /// - Parameter configuration: an object; members that are left out have the default preset's
  ///   value.
  /// - Throws: `GraphError` for an unknown member (the known are listed), one of another type, or a
  ///   configuration that describes no network, or one that takes other images than its channels
  ///   can be; what a plugin's library answers otherwise.
  public func network(_ configuration: JSON = [:]) throws -> Network {
    let complete = try completed(configuration)
    let (graph, picture, unused) = try build(complete)
    let channels = graph.inputs[0].channels
    guard picture.colour.channels == channels else {
      throw GraphError.configuration(
        info.name,
        "picture.colour: expected one of \(channels) channels, found '\(picture.colour.rawValue)'")
    }
    // Features and discriminators have no images to give; what they take is theirs.
    if info.kind == .restoration { try picture.check(against: graph) }
    return Network(
      architecture: info.name, configuration: complete, graph: graph, picture: picture,
      unused: unused)
  }

  /// The configurations that weights may have been trained with, unchecked.
  func proposals(for weights: WeightIndex) throws -> [Proposal<JSON>] {
    try propose(weights.plausible)
  }

  /// The preset of this name.
  ///
  /// - Throws: `RegistryError.unknownPreset`.
  public func preset(_ name: String) throws(RegistryError) -> JSON {
    guard let preset = presets.first(where: { $0.name == name }) else {
      throw .unknownPreset(name, of: info.name, known: presets.map(\.name))
    }
    return preset.configuration
  }

  private func completed(_ configuration: JSON) throws(GraphError) -> JSON {
    guard let given = configuration.object, var members = presets[0].configuration.object else {
      throw .configuration(
        info.name, "configuration: expected an object, found \(configuration.kind)")
    }
    // Sorted, so that of several mistakes it is always the same that is reported.
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard members[name] != nil else {
        throw .unknownOption(name, of: info.name, known: members.keys.sorted())
      }
      try AnyArchitecture.checkRange(value, "\(info.name): \(name)")
      members[name] = value
    }
    return .object(members)
  }

  /// Integers and arrays within the range in which an architecture may calculate without care.
  private static func checkRange(_ value: JSON, _ path: String) throws(GraphError) {
    switch value {
    case .int(let number):
      guard (0...65_536).contains(number) else {
        throw .member(path, expected: "an integer from 0 to 65536", found: "\(number)")
      }
    case .array(let elements):
      guard elements.count <= 4_096 else {
        throw .member(path, expected: "at most 4096 elements", found: "\(elements.count)")
      }
      for element in elements { try checkRange(element, path) }
    case .object(let members):
      for (name, value) in members { try checkRange(value, "\(path).\(name)") }
    case .number(let number):
      // Beyond this a number is no integer any more, and decoding it as one says nothing useful.
      guard number.magnitude < 0x1p53 else {
        throw .member(path, expected: "a number below 2^53", found: "\(number)")
      }
    case .null, .bool, .string: break
    }
  }
}
