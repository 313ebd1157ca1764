public import AviaryCheckpoint
import AviaryContainers
public import AviaryFormats
public import AviaryGraph
internal import AviaryTensor

/// A network with weights: what is run, evaluated and converted.
public struct Model: Sendable {
  /// The name of the architecture; empty where none is known.
  public var architecture: String
  /// The complete configuration, as JSON.
  public var configuration: JSON
  /// The operations.
  public var graph: Graph
  /// How it takes and gives pictures.
  public var picture: Picture
  /// The parameters under canonical names, in the order of the graph's.
  public var weights: NamedTensors
  /// The scales of the convolutions that can compute in whole numbers; empty where it was not
  /// calibrated for that.
  public var quantization: [QuantizedLayer] = []
  /// Where it comes from.
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

  /// What it is called in messages.
  public var name: String { architecture.isEmpty ? "network" : architecture }

  /// The enlargements that the graph itself makes, one for each output that is a whole number of
  /// times as large as the input.
  var ownScales: [Int] {
    graph.scales.compactMap { $0.flatMap { $0.denominator == 1 ? $0.numerator : nil } }
  }

  /// The scales that it serves; empty where it serves any, because pictures are enlarged first and
  /// nothing says for which scale it was trained.
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

  /// Parameters with values that are no numbers, or infinite.
  public var notFinite: [String] {
    weights.filter { !TensorStatistics(of: $0.tensor).isFinite }.map(\.name)
  }
}

// MARK: - Native checkpoints

extension Model {
  /// Reads a native checkpoint. The architecture need not be in any registry: the checkpoint holds
  /// its own graph.
  ///
  /// - Throws: as `StoredModel.init(checkpoint:)`, and `CheckpointError.hashMismatch` for weights that
  ///   are not those that the stored hash is of.
  public init(checkpoint path: String) throws {
    try self.init(checkpoint: SniffedFile(path))
  }

  /// Reads a native checkpoint that was told already.
  ///
  /// - Throws: as `init(checkpoint:)` of a path.
  public init(checkpoint file: SniffedFile) throws {
    let stored = try StoredModel(checkpoint: file)
    self = try stored.loaded()
    // Of the tensors in memory: none is read twice.
    let found = ContentHash.of(
      weights, excluding: Set(stored.weights.filter(\.isBookkeeping).map(\.name)))
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
      bookkeeping: Set(graph.parameters.filter { $0.role == .bookkeeping }.map(\.name)),
      createdBy: Aviary.versionLine, quantization: quantization)
  }
}

extension WeightIndex {
  /// The index of tensors at hand.
  init(_ tensors: NamedTensors) {
    self.init(Dictionary(tensors.map { ($0.name, $0.tensor.shape) }) { $1 })
  }
}
