internal import AviaryCheckpoint
internal import AviaryContainers
public import AviaryFormats
internal import AviaryFiles
public import AviaryGraph
internal import AviaryTensor
internal import AviaryThreads

extension StoredModel {
  /// Imports another framework's weights as a model. No elements are read.
  ///
  /// - Throws: `CheckpointError` for a file that holds no weights or cannot be read;
  ///   `RegistryError` if no architecture or several fit; `InterchangeError` for a network of the
  ///   file's own that no operations of ours compute; `GraphError` for a configuration that the
  ///   architecture refuses; `AviaryError.colour` or `.scale` for statements that do not fit.
  public static func imported(
    from path: String, _ options: ImportOptions = ImportOptions(), registry: Registry
  ) throws -> StoredModel {
    try imported(WeightsFile.read(path, options.reading), options, registry: registry)
  }

  /// Imports another framework's weights from a file that has already been opened.
  ///
  /// - Throws: as `imported(from:_:registry:)`.
  public static func imported(
    _ file: WeightsFile, _ options: ImportOptions = ImportOptions(), registry: Registry
  ) throws -> StoredModel {
    var file = file
    let (path, stored) = (file.path, file.tensors)
    let hash =
      options.hashesFile
      ? BackgroundTask.start { () throws(CheckpointError) in try WeightsFile.sha256(path) } : nil
    if let names = options.names {
      let renamed = file.tensors.names.map(names.canonical)
      if let twice = Dictionary(grouping: renamed, by: { $0 }).filter({ $1.count > 1 }).keys.min() {
        throw AviaryError.edit(
          path: path, "two tensors would have the name '\(twice)'")
      }
      file.tensors = file.tensors.renamed(names.canonical)
    }
    var recognition = try Recognition(of: file, options, registry)
    var assumed = recognition.assumed
    try options.apply(to: &recognition.network)
    // No tensor shows what its channels mean.
    if options.picture["colour"] == nil, !recognition.statesImage {
      assumed.append("picture.colour")
    }
    // Nor what white is, unless the architecture reads it off the weights.
    if options.picture["range"] == nil, recognition.graphIsAssumed,
      try registry[recognition.network.architecture].valuesRead.isEmpty
    {
      assumed.append("picture.range")
    }

    var report = LoadReport(
      format: file.format.name, origin: file.origin.text,
      architecture: recognition.network.architecture,
      configuration: recognition.network.configuration,
      picture: recognition.network.picture.json, reason: recognition.reason,
      names: recognition.source)
    report.unwrapping = file.unwrapping
    report.notes = recognition.notes + options.withoutEffect(on: recognition, file)
    if case .keras(let text)? = file.network, text.contains("\"mixed_") {
      report.notes.append(
        "computed in float32, where Keras computes in a narrower type (mixed precision)")
    }
    if let problem = recognition.network.graph.imageProblem {
      report.notes.append("aviary run cannot use it: \(problem)")
    }
    report.graphIsAssumed = recognition.graphIsAssumed
    // The activation first: nothing changes a result more.
    let (first, rest) = (
      assumed.filter { $0.hasPrefix("activation") }, assumed.filter { !$0.hasPrefix("activation") }
    )
    report.assumed = (first + rest).map { recognition.network.statement(of: $0) }
    report.alternatives = (first + rest).flatMap { member in
      (recognition.alternatives[member] ?? []).map {
        LoadReport.Alternative(
          assumption: recognition.network.statement(of: member), member: member, value: $0)
      }
    }
    let weights = try recognition.filled(&report, allowMissing: options.allowMissing, path: path)
    var model = StoredModel(
      recognition.network, weights: weights, card: recognition.card ?? Card(), report: report)
    model.addSource(
      Card.Provenance(
        file: path.fileName, format: file.format.name,
        conversions: report.conversions, assumptions: report.assumed,
        names: recognition.names(of: file, stored)), hash: hash)
    (model.optimizer, model.leftBehind) =
      file.optimizer?.following(from: stored, to: weights) ?? (nil, [])
    model.verifiedHash = recognition.verifiedHash
    return model
  }
}

extension ImportOptions {
  /// Statements that had no effect, in words.
  fileprivate func withoutEffect(on recognition: Recognition, _ file: WeightsFile) -> [String] {
    let steps = recognition.tensors.flatMap(\.steps)
    var notes: [String] = []
    if reading.theanoKernels,
      !steps.contains(where: { if case .reversed = $0 { true } else { false } })
    {
      notes.append(
        "--theano-kernels without effect: only Keras's files of weights have such kernels")
    }
    let shuffles = recognition.network.graph.nodes.contains {
      if case .pixelShuffle = $0.op { true } else { false }
    }
    if shuffleOrder != nil, !shuffles {
      notes.append("--shuffle-order without effect: the network has no pixel shuffle")
    }
    if file.format != .onnx, reading.onnx.size != nil || !reading.onnx.numbers.isEmpty {
      notes.append("--size and --set without effect: they are for ONNX models")
    }
    return notes
  }
}

extension Recognition {
  /// What a file for PyTorch calls the parameters that it calls otherwise than the network, by the
  /// network's names; nil for none, where no earlier file had any either.
  ///
  /// - Parameter stored: the file's tensors before the user's own rules renamed them.
  fileprivate func names(of file: WeightsFile, _ stored: TensorSource) -> [String: String]? {
    guard file.origin.framework == .pytorch else { return nil }
    let before = Dictionary(zip(file.tensors.names, stored.names)) { first, _ in first }
    let parameters = Set(network.graph.parameters.map(\.name))
    var result: [String: String] = [:]
    for tensor in tensors where parameters.contains(tensor.name) {
      let name = names[tensor.name] ?? tensor.name
      let own = before[name] ?? name
      if own != tensor.name { result[tensor.name] = own }
    }
    let hadNames = card?.provenance.contains { $0.names != nil } ?? false
    return result.isEmpty && !hadNames ? nil : result
  }

  /// The graph's parameters in order, from the file's tensors.
  ///
  /// - Throws: `AviaryError.weightsDoNotFit` for tensors of another shape, and for missing and
  ///   unused ones unless they are allowed.
  fileprivate func filled(
    _ report: inout LoadReport, allowMissing: Bool, path: String
  ) throws -> TensorSource {
    let index = WeightIndex(tensors)
    var difference = StateDictDifference(
      index, network.graph, network: network.label, unused: network.unused)
    report.missing = difference.missing
    report.unused = difference.extra.map { tensors[$0]?.storedName ?? $0 }
    report.passedOver(network.unused, in: tensors, of: network.graph)
    // At least one parameter must be loaded: weights of another network would give nothing but
    // zeros.
    if allowMissing, difference.missing.count < network.graph.parameters.count {
      (difference.missing, difference.extra) = ([], [])
    }
    guard difference.isEmpty else { throw AviaryError.weightsDoNotFit(path: path, difference) }

    let places = Dictionary(
      uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    var descriptions: [TensorDescription] = []
    var origins: [Int?] = []
    for parameter in network.graph.parameters {
      let place = places[parameter.name]
      if place == nil, parameter.role == .nonPersistent { continue }
      var description =
        place.map { tensors[$0] }
        ?? TensorDescription(name: parameter.name, shape: parameter.shape, elementType: .float32)
      description.isNonPersistent = parameter.role == .nonPersistent
      descriptions.append(description)
      origins.append(place)
    }
    let source = TensorSource(descriptions) {
      [tensors, origins, descriptions] (position) throws(CheckpointError) in
      if let place = origins[position] { return try tensors.tensor(at: place) }
      do throws(TensorError) {
        return try Tensor(zeros: descriptions[position].shape)
      } catch {
        throw .damaged(path: path, part: descriptions[position].name, reason: "\(error)")
      }
    }
    // Element types that our checkpoint cannot hold are converted to the nearest one that it can.
    let storable = source.storable
    for (position, tensor) in storable.enumerated() where origins[position] != nil {
      report.applied.append(tensor.name)
      // Report the prefix once rather than for each tensor.
      let prefix = report.unwrapping.prefix
      let stored = tensor.storedName
      let name = stored.hasPrefix(prefix) ? String(stored.dropFirst(prefix.count)) : stored
      if name != tensor.name { report.renamed.append(.init(from: name, to: tensor.name)) }
      report.note(tensor)
    }
    return storable
  }
}

extension LoadReport {
  /// Adds the tensors that the architecture knows and does not read, with the reasons.
  fileprivate mutating func passedOver(
    _ unused: [UnusedTensors], in tensors: TensorSource, of graph: Graph
  ) {
    let known = Set(graph.parameters.map(\.name)).union(graph.aliases.keys)
    var reasons: [String: Int] = [:]
    for tensor in tensors where !known.contains(tensor.name) {
      guard let reason = unused.reason(for: tensor.name) else { continue }
      self.unused.append(tensor.storedName)
      reasons[reason, default: 0] += 1
    }
    for (reason, count) in reasons.sorted(by: { $0.key < $1.key }) {
      notes.append("\(count) tensor\(count == 1 ? "" : "s") not used: \(reason)")
    }
  }
}

extension Network {
  /// An assumption as "member: value", or unchanged if it is not a member's name.
  fileprivate func statement(of assumption: String) -> String {
    if assumption == "picture.range" {
      let range = JSON.array([.number(picture.range.lowerBound), .number(picture.range.upperBound)])
      return "\(assumption): \(range.text)"
    }
    if assumption.hasPrefix("picture.") {
      let value = picture.json[String(assumption.dropFirst("picture.".count))]
      return "\(assumption): \(value?.text ?? "default")"
    }
    guard let value = configuration[assumption] else { return assumption }
    return "\(assumption): \(value.text)"
  }
}

extension Origin {
  /// In words: "Keras 3.6.0 (tensorflow)".
  package var text: String {
    ([framework.rawValue] + [version, backend.map { "(\($0))" }].compactMap { $0 })
      .joined(separator: " ")
  }
}
