public import AviaryCheckpoint
import AviaryContainers
public import AviaryFormats
public import AviaryGraph
internal import AviaryTensor

/// A network with weights: what is run, evaluated and converted.
public struct Model: Sendable {
  /// The architecture's name; empty if unknown.
  public var architecture: String
  /// The complete configuration, as JSON.
  public var configuration: JSON
  /// The operations.
  public var graph: Graph
  /// The image description.
  public var picture: ImageSpec
  /// The parameters under canonical names, in the order of the graph's.
  public var weights: NamedTensors
  /// Quantization scales of the convolutions that can compute in int8; empty if the model was not
  /// calibrated.
  public var quantization: [QuantizedLayer] = []
  /// The model card.
  public var card: Card

  /// A model of a network and weights that are known to fit it.
  package init(_ network: Network, weights: NamedTensors, card: Card = Card()) {
    architecture = network.architecture
    configuration = network.configuration
    graph = network.graph
    picture = network.picture
    self.weights = weights
    self.card = card
  }

  /// A network that has no weights: an interpolation.
  ///
  /// - Throws: `AviaryError.noWeights` for one that has.
  public init(withoutWeights network: Network) throws(AviaryError) {
    guard network.graph.parameters.isEmpty else {
      throw .noWeights(network.architecture, parameters: network.graph.parameterCount)
    }
    self.init(network, weights: NamedTensors(), card: Card())
  }

  /// The model's name in messages.
  public var name: String { architecture.isEmpty ? "network" : architecture }

  /// The scales of the graph itself: one for each output whose size is an integer multiple of the
  /// input's.
  var ownScales: [Int] {
    graph.scales.compactMap { $0.flatMap { $0.denominator == 1 ? $0.numerator : nil } }
  }

  /// The supported scales; empty if it supports any, because images are enlarged beforehand and
  /// nothing says which scale it was trained for.
  public var scales: [Int] {
    if !picture.scales.isEmpty { return picture.scales }
    if picture.enlargeFirst != .no { return [] }
    return ownScales
  }

  /// The network without its weights.
  package var network: Network {
    Network(
      architecture: architecture, configuration: configuration, graph: graph, picture: picture)
  }

  /// Parameters with NaN or infinite values.
  public var notFinite: [String] {
    weights.filter { !TensorStatistics(of: $0.tensor).isFinite }.map(\.name)
  }
}

extension Model {
  /// The model told another noise level, where its architecture takes one as the member `noise`.
  ///
  /// - Parameter strength: the standard deviation of the noise, of values from 0 to 255.
  /// - Throws: `AviaryError.noStrength` for any other architecture; `GraphError` for a level out of
  ///   range.
  public func told(strength: Double, _ registry: Registry) throws -> Model {
    guard case .object(var members) = configuration, members["noise"] != nil,
      let architecture = try? registry[architecture]
    else { throw AviaryError.noStrength(model: name, known: registry.toldStrength) }
    members["noise"] = .number(strength)
    let network = try architecture.network(.object(members))
    guard network.graph.parameters == graph.parameters else {
      throw AviaryError.noStrength(model: name, known: registry.toldStrength)
    }
    var model = self
    (model.configuration, model.graph) = (network.configuration, network.graph)
    return model
  }
}

extension Registry {
  /// The architectures that are told a noise level.
  fileprivate var toldStrength: [String] {
    architectures.filter { $0.presets[0].configuration["noise"] != nil }.map(\.info.name)
  }
}

// MARK: - Native checkpoints

extension Model {
  /// Reads a native checkpoint. Its architecture need not be registered: the checkpoint holds its
  /// own graph.
  ///
  /// - Throws: as `StoredModel.init(checkpoint:)`, and `CheckpointError.hashMismatch` for weights
  ///   that do not match the stored hash.
  public init(checkpoint path: String) throws {
    try self.init(checkpoint: ProbedFile(path))
  }

  /// Reads a native checkpoint that has already been opened.
  ///
  /// - Throws: as `init(checkpoint:)` of a path.
  public init(checkpoint file: ProbedFile) throws {
    let stored = try StoredModel(checkpoint: file)
    self = try stored.loaded()
    // Hash the tensors in memory, so that none is read twice.
    let found = ContentHash.of(
      weights, excluding: Set(stored.weights.filter(\.isNonPersistent).map(\.name)))
    if let expected = stored.storedHash, found != expected {
      throw CheckpointError.hashMismatch(path: file.path, expected: expected, found: found)
    }
  }

  /// The model as a native checkpoint, to be written.
  public var checkpoint: Checkpoint {
    Checkpoint(
      weights: weights, architecture: architecture.isEmpty ? nil : architecture,
      configuration: configuration.text,
      graph: graph.json.text, picture: picture.json.text, card: card,
      nonPersistent: Set(graph.parameters.filter { $0.role == .nonPersistent }.map(\.name)),
      createdBy: Aviary.versionLine, quantization: quantization)
  }
}

extension WeightIndex {
  /// Builds the index from tensors in memory.
  init(_ tensors: NamedTensors) {
    self.init(Dictionary(tensors.map { ($0.name, $0.tensor.shape) }) { $1 })
  }
}
