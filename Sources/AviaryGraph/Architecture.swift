/// A family of networks: what to build from a configuration, and how to recognise its weights.
///
/// An architecture is one file that imports AviaryGraph alone, and ends with its registration; see
/// `Registration`.
public protocol Architecture: Sendable {
  associatedtype Configuration: ArchitectureConfiguration

  /// What it is called, what it does, where it was published.
  static var info: ArchitectureInfo { get }
  /// Named configurations, the default one first.
  static var presets: KeyValuePairs<String, Configuration> { get }
  /// Describes the network: from its input to its output, or outputs.
  static func build(_ configuration: Configuration, _ input: Value) -> [Value]
  /// Proposes the configurations that weights of these names and shapes may have been trained with.
  /// Only those whose graph has exactly these parameters are accepted, so that guessing is safe.
  /// Every dimension is known to lie between 1 and 2^20, so that a product of three cannot
  /// overflow.
  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>]
  /// How published sources name the layers, where they differ from this graph's names.
  static var publishedNames: [NameMap] { get }
  /// Tensors that its files hold beside its parameters and that nothing reads.
  static func unused(_ configuration: Configuration) -> [UnusedTensors]
  /// The names of small tensors whose values `configurations(of:)` looks at, where shapes do not tell
  /// enough: the bias of a mean shift tells the range of values. At most 8192 elements are read.
  static var valuesRead: [String] { get }
  /// How it takes and gives images.
  static func picture(_ configuration: Configuration) -> ImageSpec
}

extension Architecture {
  /// No weights are recognised.
  public static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] { [] }
  /// No other names are known.
  public static var publishedNames: [NameMap] { [] }
  /// Whatever a file holds beside the parameters is not this architecture's.
  public static func unused(_ configuration: Configuration) -> [UnusedTensors] { [] }
  /// Shapes tell enough.
  public static var valuesRead: [String] { [] }
  /// One channel is luma, three are RGB, with values from 0 to 1.
  public static func picture(_ configuration: Configuration) -> ImageSpec {
    ImageSpec(channels: configuration.channels)
  }
}

/// The hyperparameters of a network. In JSON any may be left out: the default preset's holds.
///
/// Before a configuration from outside reaches `build`, every integer in it is known to lie between
/// 0 and 65536 and every array to have at most 4096 elements, so that products of three integers
/// cannot overflow.
public protocol ArchitectureConfiguration: Codable, Hashable, Sendable {
  /// Channels of the network's input.
  var channels: Int { get }
  /// Output size over input size; the graph is checked against it.
  var scale: Int { get }
  /// What is wrong with the members' values, if something is: `kernels: 3 expected, 2 found`.
  /// `build` is called only where this is nil.
  var problem: String? { get }
}

extension ArchitectureConfiguration {
  /// Nothing is wrong.
  public var problem: String? { nil }
}

/// What an architecture is called and where it comes from.
public struct ArchitectureInfo: Codable, Hashable, Sendable {
  /// What a network is for.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// Gives an image for an image.
    case restoration
    /// Gives features that losses compare; those of the first output unless others are stated.
    case features
    /// Tells real images from made ones.
    case discriminator
  }

  /// The name in the registry: lower case, with hyphens.
  public var name: String
  /// What it is for.
  public var kind: Kind
  /// One line.
  public var summary: String
  /// The address of its publication; empty for none.
  public var paper: String
  /// The licence of the architecture's text, as an SPDX identifier.
  public var licence: String
  /// Whether it may be recognised by the kinds and the order of layers alone, where a file of Keras
  /// says nothing else. Not for networks of which almost every chain of convolutions would be one.
  public var matchesStructure: Bool

  /// A network that restores images, under this project's licence, unless stated.
  public init(
    _ name: String, kind: Kind = .restoration, summary: String, paper: String = "",
    licence: String = "Apache-2.0", matchesStructure: Bool = true
  ) {
    self.name = name
    self.kind = kind
    self.summary = summary
    self.paper = paper
    self.licence = licence
    self.matchesStructure = matchesStructure
  }
}

/// A configuration that weights may have been trained with.
public struct Proposal<Configuration: Sendable>: Sendable {
  /// The configuration.
  public var configuration: Configuration
  /// The members of the configuration, and of the image (`picture.colour`), that shapes cannot
  /// show, so that the value is customary and not known. Reports say so, and the user may override
  /// them.
  public var assumed: [String]
  /// Other values of assumed members, with which files of these shapes may have been trained: what a
  /// report offers, and compares the result with.
  public var alternatives: [String: [JSON]]
  /// Assumed members of which no value is more customary than its alternatives: an import asks for
  /// them.
  public var asked: [String]

  /// A proposal; members in `assumed` are customary values that shapes do not show.
  public init(
    _ configuration: Configuration, assumed: [String] = [], alternatives: [String: [JSON]] = [:],
    asked: [String] = []
  ) {
    self.configuration = configuration
    self.assumed = assumed
    self.alternatives = alternatives
    self.asked = asked
  }

  /// The same said of another form of the configuration.
  func map<Other>(_ transform: (Configuration) throws -> Other) rethrows -> Proposal<Other> {
    Proposal<Other>(
      try transform(configuration), assumed: assumed, alternatives: alternatives, asked: asked)
  }

  /// The same less the members that the user states.
  func leavingOut(_ stated: (String) -> Bool) -> Proposal {
    Proposal(
      configuration, assumed: assumed.filter { !stated($0) },
      alternatives: alternatives.filter { !stated($0.key) }, asked: asked.filter { !stated($0) })
  }
}

extension Graph {
  /// The network of a configuration.
  ///
  /// - Throws: `GraphError` for a mistake in the network, or a scale that is not the
  ///   configuration's.
  public init<A: Architecture>(
    _ architecture: A.Type, _ configuration: A.Configuration
  ) throws(GraphError) {
    if let problem = configuration.problem {
      throw .configuration(A.info.name, problem)
    }
    try self.init(channels: configuration.channels) { A.build(configuration, $0) }
    guard A.info.kind == .restoration else { return }
    let found = ratios[outputs[0].value]
    guard found == Ratio(max(configuration.scale, 1)) else {
      throw .configuration(
        A.info.name,
        "scale: expected \(configuration.scale), found a network of scale "
          + (found.map { "\($0.numerator)/\($0.denominator)" } ?? "none"))
    }
  }
}
