public import AviaryCheckpoint
public import AviaryGraph
internal import AviaryTensor

/// A network whose weights are still in their file: what is converted, compared and edited, so that
/// it may be larger than the memory.
public struct StoredModel: Sendable {
  /// The network; its architecture is empty where none is known.
  public var network: Network
  /// The parameters under the graph's names, in the order of the graph's.
  public var weights: TensorSource
  /// Where it comes from.
  public var card: Card
  /// What was done on the way; nil for a native checkpoint.
  public var report: LoadReport?

  /// A network and weights that are known to fit it.
  init(_ network: Network, weights: TensorSource, card: Card, report: LoadReport? = nil) {
    self.network = network
    self.weights = weights
    self.card = card
    self.report = report
  }

  /// Opens a file of weights: a native checkpoint, or another framework's.
  ///
  /// - Throws: what `Model.init(checkpoint:)` and `imported(from:_:registry:)` throw.
  public init(
    opening path: String, _ options: ImportOptions = ImportOptions(), registry: Registry
  ) throws {
    if try FileFormat.sniff(path) == .aviaryCheckpoint {
      let model = try Model(checkpoint: path)
      self.init(model.network, weights: TensorSource(model.weights), card: model.card)
    } else {
      self = try StoredModel.imported(from: path, options, registry: registry)
    }
  }

  /// The model with its weights in memory.
  ///
  /// - Throws: `CheckpointError` for what is wrong with the file.
  public func loaded() throws(CheckpointError) -> Model {
    Model(network, weights: try weights.loaded(), card: card)
  }

  /// The names of the parameters that do not count for the content hash.
  var bookkeeping: Set<String> {
    Set(network.graph.parameters.filter { $0.role == .bookkeeping }.map(\.name))
  }
}
