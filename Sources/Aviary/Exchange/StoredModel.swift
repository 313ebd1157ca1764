public import AviaryCheckpoint
public import AviaryGraph
internal import AviaryTensor
internal import AviaryThreads

/// A network whose weights are still in their file: what is converted, compared and edited, so that
/// it may be larger than the memory.
public struct StoredModel: Sendable {
  /// The network; its architecture is empty where none is known.
  public var network: Network
  /// The parameters under the graph's names, in the order of the graph's.
  public var weights: TensorSource { didSet { verifiedHash = nil } }
  /// Where it comes from. The SHA-256 of the file is found on a thread of its own; reading the card
  /// waits for it.
  public var card: Card {
    get {
      var card = knownCard
      // A file that cannot be read fails where its weights are read.
      if let pending { card.provenance[pending.entry].sha256 = try? pending.hash.value() }
      return card
    }
    set { (knownCard, pending) = (newValue, nil) }
  }
  /// What was done on the way; nil for a native checkpoint.
  public var report: LoadReport?
  /// What the optimiser that trained the weights remembers, by the graph's names; nil where the file
  /// does not have it.
  public var optimizer: OptimizerState?
  /// The scales of the convolutions that can compute in whole numbers.
  public var quantization: [QuantizedLayer] = []
  /// What of the file's optimiser state belongs to no parameter, in words.
  var leftBehind: [String] = []
  /// The content hash that a native checkpoint states.
  var storedHash: String?
  /// The content hash of the weights, where all were read and hashed.
  var verifiedHash: String?
  /// The card but for the hash of the file.
  private var knownCard: Card
  /// The hash of the file, and the entry of the card's provenance that it belongs to.
  private var pending: (entry: Int, hash: BackgroundTask<String, CheckpointError>)?

  /// A network and weights that are known to fit it.
  init(_ network: Network, weights: TensorSource, card: Card, report: LoadReport? = nil) {
    self.network = network
    self.weights = weights
    knownCard = card
    self.report = report
  }

  /// Opens a file of weights: a native checkpoint, or another framework's. No elements are read, so
  /// that a checkpoint's content hash is not verified.
  ///
  /// - Throws: what `init(checkpoint:)` and `imported(_:_:registry:)` throw.
  public init(
    opening path: String, _ options: ImportOptions = ImportOptions(), registry: Registry
  ) throws {
    let file = try SniffedFile(path, hdf5: options.reading.hdf5)
    self =
      file.format == .aviaryCheckpoint
      ? try StoredModel(checkpoint: file)
      : try StoredModel.imported(
        WeightsFile.read(file, options.reading), options, registry: registry)
  }

  /// Opens a native checkpoint. The architecture need not be in any registry: the checkpoint holds
  /// its own graph.
  ///
  /// - Throws: `CheckpointError` for a file that cannot be read; `AviaryError.noGraph`,
  ///   `.checkpointPart` or `.weightsDoNotFit` for one that is not consistent.
  public init(checkpoint file: SniffedFile) throws {
    let checkpoint = try CheckpointFile(file)
    let path = file.path
    guard let graphText = checkpoint.graph else { throw AviaryError.noGraph(path: path) }
    func part<T>(_ name: String, _ body: () throws(GraphError) -> T) throws(AviaryError) -> T {
      do throws(GraphError) { return try body() } catch {
        throw .checkpointPart(path: path, part: name, problem: "\(error)")
      }
    }
    let graph = try part("graph") { () throws(GraphError) in
      try Graph(json: JSON(parsing: graphText))
    }
    // A network that gives no pictures has none, and only `run` minds.
    var picture = Picture(channels: graph.inputs[0].channels)
    if let text = checkpoint.picture {
      picture = try part("picture") { () throws(GraphError) in
        try Picture(json: JSON(parsing: text))
      }
      try part("picture") { () throws(GraphError) in try picture.check(against: graph) }
    }
    let configuration = try part("configuration") { () throws(GraphError) in
      try checkpoint.configuration.map { text throws(GraphError) in try JSON(parsing: text) } ?? [:]
    }
    let difference = Difference(
      WeightIndex(checkpoint.tensors), graph, network: checkpoint.architecture ?? "graph")
    guard difference.isEmpty else {
      throw AviaryError.weightsDoNotFit(path: path, difference)
    }
    self.init(
      Network(
        architecture: checkpoint.architecture ?? "", configuration: configuration, graph: graph,
        picture: picture),
      weights: checkpoint.tensors, card: checkpoint.card)
    storedHash = checkpoint.storedHash
    try checkpoint.quantization.check(against: graph, path)
    quantization = checkpoint.quantization
    let weights = checkpoint.tensors
    (optimizer, leftBehind) =
      checkpoint.training?.optimizer?.following(from: weights, to: weights) ?? (nil, [])
    if let progress = checkpoint.training?.progress {
      leftBehind.append(
        "the training's own state, step \(progress.step): it goes on from the file itself")
    }
  }

  /// Adds the file that the weights come from to the card's provenance.
  ///
  /// - Parameters:
  ///   - source: the entry, without the hash.
  ///   - path: the file, which is hashed while other things are done.
  public mutating func addSource(_ source: Card.Provenance, hashing path: String) {
    addSource(
      source,
      hash: BackgroundTask.start { () throws(CheckpointError) in try WeightsFile.sha256(path) })
  }

  /// Adds the file that the weights come from; `hash` is its own, nil for one that nobody wants.
  mutating func addSource(_ source: Card.Provenance, hash: BackgroundTask<String, CheckpointError>?)
  {
    card.provenance.append(source)
    pending = hash.map { (knownCard.provenance.count - 1, $0) }
  }

  /// The card with zeros for a hash that is still to be found: what it will be, in as many bytes.
  var foreseenCard: Card {
    var card = knownCard
    if let pending {
      card.provenance[pending.entry].sha256 = String(repeating: "0", count: 64)
    }
    return card
  }

  /// Throws unless the tensors of a native checkpoint are those that it was written with; reads them
  /// all, one by one.
  ///
  /// - Throws: `CheckpointError.hashMismatch`, and what is wrong with the file itself.
  public mutating func verify(_ path: String) throws(CheckpointError) {
    guard let storedHash else { return }
    let found = try ContentHash.of(weights)
    guard found == storedHash else {
      throw .hashMismatch(path: path, expected: storedHash, found: found)
    }
    verifiedHash = found
  }

  /// The model with its weights in memory.
  ///
  /// - Throws: `CheckpointError` for what is wrong with the file.
  public func loaded() throws(CheckpointError) -> Model {
    var model = Model(network, weights: try weights.loaded(), card: card)
    model.quantization = quantization
    return model
  }

  /// The model as a native checkpoint, to be written.
  package var checkpoint: CheckpointFile {
    let name = network.architecture
    let hasPicture = (try? network.picture.check(against: network.graph)) != nil
    return CheckpointFile(
      tensors: weights, architecture: name.isEmpty ? nil : name,
      configuration: network.configuration.text, graph: network.graph.json.text,
      picture: hasPicture ? network.picture.json.text : nil, card: card,
      createdBy: Aviary.versionLine,
      training: optimizer.map { TrainingState(optimizer: $0.storable) },
      quantization: quantization)
  }
}
