internal import AviaryCheckpoint
internal import AviaryFiles
internal import AviaryFormats
internal import AviaryGraph
internal import FoundationEssentials

/// The network that a third-party file's weights belong to, and the weights under its names.
struct Recognition {
  /// The network.
  var network: Network
  /// The file's tensors, under the names of the network's parameters where they have one.
  var tensors: TensorSource
  /// The names of layers or tensors that differ, in the file and in the network.
  var source: String?
  /// What the file calls the parameters that it calls otherwise.
  var names: [String: String] = [:]
  /// Whether the file itself has an image description, as our embedded metadata does.
  var statesImage = false
  /// Whether the file says nothing of how its layers are connected: the architecture says it.
  var graphIsAssumed = false
  /// What was assumed, by member of the configuration, or in words.
  var assumed: [String]
  /// Other values of assumed members, with which files of the same shapes are used.
  var alternatives: [String: [JSON]] = [:]
  /// What was done, in words.
  var notes: [String] = []
  /// How the architecture was detected.
  var reason: String
  /// The content hash of the weights, if the embedded metadata states it and it was verified.
  var verifiedHash: String?
  /// The model card from the embedded metadata.
  var card: Card?
}

extension Recognition {
  /// Finds the network for a file's weights: the one that the user states; else the one that the
  /// file describes; else, of a file that describes none, by names, shapes and structure.
  ///
  /// - Throws: as `StoredModel.imported(_:_:registry:)`.
  init(of file: WeightsFile, _ options: ImportOptions, _ registry: Registry) throws {
    let isStated = options.architecture != nil || options.configuration != [:]
    if !isStated, let recorded = try Recognition(byRecordOf: file, verify: options.verifiesRecord) {
      self = recorded
      return
    }
    if options.architecture == nil {
      // What a file states is carried over or refused; its weights alone are only a guess at it.
      if file.format == .torchScript {
        throw AviaryError.program(path: file.path, found: file.format.label)
      }
      guard file.network == nil || options.configuration == [:] else {
        throw AviaryError.ownNetwork(path: file.path)
      }
      do {
        if let own = try Recognition(byItself: file, options, registry) {
          self = own
          return
        }
      } catch let error as InterchangeError {
        throw AviaryError.network(path: file.path, error)
      }
    }
    do {
      self = try Recognition(byWeights: file, options, registry)
    } catch let error as RegistryError {
      guard case .unrecognised = error, options.allowMissing, let name = options.architecture
      else { throw error }
      // The user states the architecture, and allows missing parameters.
      self.init(
        network: try registry[name].network(options.configuration), tensors: file.tensors,
        assumed: [], reason: "stated, with parts missing")
    }
    graphIsAssumed = true
  }

  /// By names, shapes and structure; a stripped prefix is restored if the names fit only with it.
  ///
  /// - Throws: `RegistryError` if nothing fits, or several do.
  private init(byWeights file: WeightsFile, _ options: ImportOptions, _ registry: Registry) throws {
    var byNamesAlone = true
    func attempt(_ file: WeightsFile, _ overrides: JSON) throws -> StructureMatch? {
      try StructureMatcher.recognise(
        file, registry: registry, as: options.architecture, overrides: overrides,
        shuffle: options.shuffleOrder, byNamesAlone: byNamesAlone)
    }
    var overrides = options.configuration
    var used = file
    var found: StructureMatch?
    for reading in file.readings where found == nil {
      used = reading
      found = try attempt(used, overrides)
    }
    if found == nil, options.architecture == nil, let known = NetworkNotBuilt.named(by: file) {
      throw AviaryError.notBuilt(path: file.path, name: known.name, reason: known.reason)
    }
    if found == nil {
      (used, byNamesAlone) = (file, false)
      found = try attempt(used, overrides)
    }
    // If no shape shows the scale (FSRCNN), take the user's, or the one in the file's name, rather than
    // the default.
    var named: String?
    if let assumed = found?.fit.assumed, assumed.contains("scale") {
      let inName = ScaleInName(file.path.fileName)
      let stated = options.isScaleStated ? options.scale : nil
      let wanted = options.scale.flatMap { $0 > 1 ? $0 : nil }
      if let scale = stated ?? inName?.scale ?? wanted {
        overrides = .object((overrides.object ?? [:]).merging(["scale": .int(scale)]) { $1 })
        // A number in a name may mean something else: it counts where the architecture allows it.
        if stated != nil {
          found = try attempt(used, overrides)
        } else if let other = try? attempt(used, overrides) {
          found = other
          named = inName.map { "scale: \(scale), taken from '\($0.text)' in the file's name" }
        }
      }
    }
    guard let found else {
      throw try Recognition.unrecognised(file, options, registry)
    }
    if let member = found.fit.asked.first,
      let value = found.fit.network.configuration[member]
    {
      throw AviaryError.undetermined(
        path: file.path, network: found.fit.network.architecture, member: member,
        values: [value] + (found.fit.alternatives[member] ?? []))
    }
    let source = found.fit.names?.source
    let isByNames = found.tensors.names == used.tensors.names || source != nil
    let notes = used.unwrapping.notes.filter { !file.unwrapping.notes.contains($0) }
    self.init(
      network: found.fit.network, tensors: found.tensors, source: source,
      assumed: [named].compactMap(\.self) + found.fit.assumed + found.assumed,
      notes: notes + found.notes,
      reason: source.map { "names and shapes, by the names of \($0)" }
        ?? (isByNames || !found.fit.folded.isEmpty
          ? "names and shapes" : "its layers' kinds, places and shapes"))
    alternatives = found.fit.alternatives
    names = Dictionary(found.renamed.map { ($0.to, $0.from) }) { first, _ in first }
  }

  /// The error that names the nearest architecture, with tensors' names as the file has them: of the
  /// ways to read its names, the one that comes nearest.
  private static func unrecognised(
    _ file: WeightsFile, _ options: ImportOptions, _ registry: Registry
  ) throws -> RegistryError {
    var best: RegistryError?
    var least = Int.max
    for reading in file.readings {
      do {
        _ = try registry.detect(
          WeightIndex(reading.tensors, values: registry.valuesRead), as: options.architecture,
          overrides: options.configuration)
      } catch let error as RegistryError {
        guard case .unrecognised(let tensors, let nearest) = error else { throw error }
        let count = nearest.first?.count ?? .max
        guard best == nil || count < least else { continue }
        let prefix = reading.unwrapping.prefix
        least = count
        best = .unrecognised(
          tensors: tensors, nearest: nearest.map { $0.renamed { prefix + $0 } })
      }
    }
    return best ?? .unrecognised(tensors: file.tensors.count, nearest: [])
  }

  /// By the network that the file describes; nil if it describes none. If that is an architecture
  /// of the registry under other names, the result is that architecture.
  ///
  /// - Throws: `InterchangeError` for operations that Aviary cannot compute; `AviaryError.range`.
  private init?(
    byItself file: WeightsFile, _ options: ImportOptions, _ registry: Registry
  ) throws {
    let own: ImportedGraph
    let framework = file.origin.framework.rawValue
    switch file.network {
    case .keras:
      guard let graph = try KerasGraph.graph(of: file) else { return nil }
      own = graph
    case .onnx: own = try ONNXNetwork.graph(file)
    case .ncnn: own = try NCNNModel.graph(file)
    case nil: return nil
    }
    let reason = "the network that the file describes (\(framework))"
    // An architecture of the registry under other names says more than a bare graph.
    if let found = try? StructureMatcher.recognise(file, registry: registry),
      found.fit.network.graph.isEquivalent(to: own.graph)
    {
      self.init(
        network: found.fit.network, tensors: found.tensors, source: found.fit.names?.source,
        assumed: [], notes: own.notes,
        reason: "\(reason), which computes what \(found.fit.network.architecture) does")
      return
    }
    var picture = ImageSpec(of: own.graph)
    var assumed = own.assumed
    if let open = try ValueRanges(own.graph).apply(
      to: &picture, stated: options.picture, path: file.path)
    {
      assumed.append(open)
    }
    self.init(
      network: Network(
        architecture: "", configuration: [:], graph: own.graph, picture: picture),
      tensors: own.weights, assumed: assumed, notes: own.notes, reason: reason)
  }

  /// By the metadata that an export embedded in the file; nil if there is none, or if it does not
  /// match the tensors.
  private init?(byRecordOf file: WeightsFile, verify: Bool) throws {
    guard let text = file.record, let json = try? JSON(parsing: text),
      let record = EmbeddedMetadata(json: json), let expected = record.contentHash,
      let graphJSON = record.graph, let graph = try? Graph(json: graphJSON),
      let tensors = record.restored(file)
    else { return nil }
    let picture = record.picture.flatMap { try? ImageSpec(json: $0) }
    // If the graph cannot take the image description, the metadata is not ours.
    if let picture, (try? picture.check(against: graph)) == nil { return nil }
    guard StateDictDifference(WeightIndex(tensors), graph, network: "").isEmpty,
      try !verify || ContentHash.of(tensors) == expected
    else { return nil }
    self.init(
      network: Network(
        architecture: record.architecture ?? "", configuration: record.configuration ?? [:],
        graph: graph, picture: picture ?? ImageSpec(channels: graph.inputs[0].channels)),
      tensors: tensors, assumed: [],
      reason: "the record that Aviary left in the file, "
        + (verify ? "confirmed by the content hash" : "not verified"))
    if verify { verifiedHash = expected }
    statesImage = picture != nil
    names = Dictionary(
      tensors.filter { $0.name != $0.storedName }.map { ($0.name, $0.storedName) }
    ) { first, _ in first }
    card = record.card.flatMap { try? JSONDecoder().decode(Card.self, from: Data($0.text.utf8)) }
  }
}
