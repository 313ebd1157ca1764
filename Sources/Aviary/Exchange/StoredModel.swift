public import AviaryCheckpoint
public import AviaryContainers
public import AviaryFormats
public import AviaryGraph
internal import AviaryTensor
internal import AviaryThreads

/// A network whose weights are still in their file, so that models larger than memory can be
/// converted, compared and edited.
public struct StoredModel: Sendable {
  /// The network; its architecture is empty if unknown.
  public var network: Network
  /// The parameters under the graph's names, in the order of the graph's.
  public var weights: TensorSource { didSet { verifiedHash = nil } }
  /// The model card. The file's SHA-256 is computed on a separate thread; reading the card waits
  /// for it.
  public var card: Card {
    get {
      var card = knownCard
      // An unreadable file fails when its weights are read.
      if let pending { card.provenance[pending.entry].sha256 = try? pending.hash.value() }
      return card
    }
    set { (knownCard, pending) = (newValue, nil) }
  }
  /// What the import did; nil for a native checkpoint.
  public var report: LoadReport?
  /// The state of the optimizer that trained the weights, under the graph's names; nil if the file
  /// has none.
  public var optimizer: OptimizerState?
  /// Quantization scales of the convolutions that can compute in int8.
  public var quantization: [QuantizedLayer] = []
  /// Parts of the file's optimizer state that belong to no parameter, in words.
  var leftBehind: [String] = []
  /// The content hash that a native checkpoint states.
  var storedHash: String?
  /// The content hash of the weights, if all have been read and hashed.
  var verifiedHash: String?
  /// The model card, without the file's hash.
  private var knownCard: Card
  /// The pending hash of the file, and the entry of the card's provenance that it belongs to.
  private var pending: (entry: Int, hash: BackgroundTask<String, CheckpointError>)?

  /// A network and weights that are known to fit it.
  init(_ network: Network, weights: TensorSource, card: Card, report: LoadReport? = nil) {
    self.network = network
    self.weights = weights
    knownCard = card
    self.report = report
  }

  /// Opens a weights file: a native checkpoint or a third-party file. No elements are read, so a
  /// checkpoint's content hash is not verified.
  ///
  /// - Throws: what `init(checkpoint:)` and `imported(_:_:registry:)` throw.
  public init(
    opening path: String, _ options: ImportOptions = ImportOptions(), registry: Registry
  ) throws {
    switch try ModelFile.open(path, options.reading) {
    case .native(let file): try self.init(checkpoint: file)
    case .external(let file):
      self = try StoredModel.imported(file, options, registry: registry)
    }
  }

  /// Takes from the registry what files of the architecture hold besides the parameters, which neither
  /// a checkpoint nor an export of ours has: so that it is written for other programs.
  public mutating func takeUnusedTensors(from registry: Registry) {
    guard network.unused.isEmpty,
      let known = try? registry[network.architecture].network(network.configuration),
      known.graph == network.graph
    else { return }
    network.unused = known.unused
  }

  /// Opens a native checkpoint. Its architecture need not be registered: the checkpoint holds its
  /// own graph.
  ///
  /// - Throws: `CheckpointError` for a file that cannot be read; `AviaryError.noGraph`,
  ///   `.checkpointPart` or `.weightsDoNotFit` for one that is not consistent.
  public init(checkpoint file: ProbedFile) throws {
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
    // A network that does not output images has no image description, and only `run` minds.
    var picture = ImageSpec(channels: graph.inputs[0].channels)
    if let text = checkpoint.picture {
      picture = try part("picture") { () throws(GraphError) in
        try ImageSpec(json: JSON(parsing: text))
      }
      try part("picture") { () throws(GraphError) in try picture.check(against: graph) }
    }
    let configuration = try part("configuration") { () throws(GraphError) in
      try checkpoint.configuration.map { text throws(GraphError) in try JSON(parsing: text) } ?? [:]
    }
    let difference = StateDictDifference(
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

  /// Adds the file that the weights come from to the model card's provenance.
  ///
  /// - Parameters:
  ///   - source: the entry, without the hash.
  ///   - path: the file, hashed in the background.
  public mutating func addSource(_ source: Card.Provenance, hashing path: String) {
    addSource(
      source,
      hash: BackgroundTask.start { () throws(CheckpointError) in try WeightsFile.sha256(path) })
  }

  /// Adds the file that the weights come from; `hash` is its hash, nil if nobody wants it.
  mutating func addSource(_ source: Card.Provenance, hash: BackgroundTask<String, CheckpointError>?)
  {
    card.provenance.append(source)
    pending = hash.map { (knownCard.provenance.count - 1, $0) }
  }

  /// The card with zeros for a pending hash: it has the same length as the final card.
  var foreseenCard: Card {
    var card = knownCard
    if let pending {
      card.provenance[pending.entry].sha256 = String(repeating: "0", count: 64)
    }
    return card
  }

  /// Throws unless a native checkpoint's tensors match its content hash; reads them all, one by
  /// one.
  ///
  /// - Throws: `CheckpointError.hashMismatch`, and errors in the file itself.
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
  /// - Throws: `CheckpointError` for an error in the file.
  public func loaded() throws(CheckpointError) -> Model {
    var model = Model(network, weights: try weights.loaded(), card: card)
    model.quantization = quantization
    return model
  }

  /// The model as a native checkpoint, to be written.
  package var checkpoint: CheckpointFile {
    let name = network.architecture
    let hasImage = (try? network.picture.check(against: network.graph)) != nil
    return CheckpointFile(
      tensors: weights, architecture: name.isEmpty ? nil : name,
      configuration: network.configuration.text, graph: network.graph.json.text,
      picture: hasImage ? network.picture.json.text : nil, card: card,
      createdBy: Aviary.versionLine,
      training: optimizer.map { TrainingState(optimizer: $0.storable) },
      quantization: quantization)
  }
}

/// The tensors of a file whose network is unknown or cannot be computed: they can still be compared
/// and edited by name.
struct NamelessWeights {
  var tensors: TensorSource
  var format: FileFormat
  var card = Card()

  /// - Throws: `CheckpointError` for a file that holds no weights or cannot be read.
  init(_ path: String, _ options: ImportOptions) throws(CheckpointError) {
    let opened = try ModelFile.open(path, options.reading)
    format = opened.format
    switch opened {
    case .native(let file):
      let checkpoint = try CheckpointFile(file)
      (tensors, card) = (checkpoint.tensors, checkpoint.card)
    case .external(let file): tensors = file.tensors
    }
  }
}

extension Error {
  /// Whether the error concerns the network rather than the file: the tensors can still be read.
  var isAboutTheNetwork: Bool {
    if self is RegistryError { return true }
    return switch self as? AviaryError {
    case .noGraph, .network, .ownNetwork, .program, .range, .undetermined, .notBuilt: true
    default: false
    }
  }
}
