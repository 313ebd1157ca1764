public import AviaryCheckpoint
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryInterchange
internal import AviaryTensor
internal import AviaryThreads

extension StoredModel {
  /// Writes the model as a file of a format, then reads it back and compares.
  ///
  /// - Parameters:
  ///   - path: the file; what is there is replaced in one step.
  ///   - module: with PyTorch's format, a Python file for the module that the weights belong to.
  ///   - training: with PyTorch's format, whether the file is a training checkpoint, with the
  ///     optimiser's state beside the state dict.
  /// - Throws: `CheckpointError` for a file that cannot be written; `InterchangeError.target` for a
  ///   network that the format cannot express; `AviaryError.hash` or `.exchange` if what was written
  ///   does not read back as what it was written from.
  public func write(
    to path: String, as format: TargetFormat, module: String? = nil, training: Bool = false
  ) throws -> ExportReport {
    let monitor = FiniteMonitor()
    var model = self
    model.weights = monitor.watching(weights)
    var report = ExportReport(format: format, files: [path], contentHash: "", check: .hash)
    report.leftBehind = leftBehind
    if !quantization.isEmpty, format != .aviary {
      report.leftBehind.append(
        "the scales of \(quantization.count) quantised convolutions: the weights are those of float32"
      )
    }
    model.optimizer = heldState(by: format, training: training, &report)
    // What would fail of the second file fails before the first is written.
    let source = try module.map { _ in try moduleSource(weights: path) }
    if let module { try requireWritable(module) }
    let before = PreviousFile(path)
    do {
      try model.write(to: path, as: format, from: self, &report)
    } catch {
      before.restore()
      throw error
    }
    before.discard()
    if let module, let source {
      try write(source, to: module)
      report.files.append(module)
    }
    report.notFinite = monitor.notFinite
    return report
  }

  /// Writes the file, and throws unless it reads back as what it was written from.
  ///
  /// - Parameter original: the model whose weights nobody watches.
  private func write(
    to path: String, as format: TargetFormat, from original: StoredModel,
    _ report: inout ExportReport
  ) throws {
    switch format {
    case .aviary:
      report.contentHash = try checkpoint.write(to: path)
      let file = try CheckpointFile(path)
      try requireHash(report.contentHash, of: file.tensors, path)
      try requireState(file.training?.optimizer, path)
    case .pytorch, .safetensors:
      let tensors = try weights.completed(for: network.graph)
      let hash = try original.contentHash(of: original.weights.completed(for: network.graph))
      if format == .pytorch {
        try TorchZip.write(
          tensors, record: try record(hash).json.text, optimizer: optimizer, to: path)
      } else {
        // The words stand in front of the elements, and of the hashes only the length is known by then.
        let zeros = "sha256:" + String(repeating: "0", count: 64)
        let foreseen = try record(contentHash: zeros, card: foreseenCard).json.text
        try SafeTensorsFile.write(
          tensors, metadata: ["format": "pt", "aviary": foreseen], to: path
        ) { () throws(CheckpointError) in
          ["format": "pt", "aviary": try record(hash).json.text]
        }
      }
      report.contentHash = try hash.value()
      let file = try WeightsFile.read(path)
      try requireHash(report.contentHash, of: file.tensors, path)
      try requireState(file.optimizer, path)
    case .keras, .kerasWeights, .kerasHDF5:
      let keras = try KerasExport.model(network.graph)
      let hash = original.contentHash(of: original.weights.withoutCounters(of: network.graph))
      try keras.write(
        format.kerasFile, name: pythonName,
        weights: weights.withoutCounters(of: network.graph), record: try record(hash),
        to: path)
      report.contentHash = try hash.value()
      let file = try WeightsFile.read(path)
      // Read back twice, for its tensors and for what they compute; at the same time.
      let expected = report.contentHash
      let record = BackgroundTask.start { () throws(CheckpointError) in
        Result { try requireRecord(expected, in: file) }
      }
      if TestPicture.isReasonable(for: network.graph), let own = try KerasGraph.graph(of: file) {
        report.check = try original.agreement(with: own, path)
      }
      try record.value().get()
    case .onnx:
      let hash = original.contentHash(of: original.weights.withoutCounters(of: network.graph))
      report.changes = try ONNXExport.write(
        graph: network.graph, weights: weights.withoutCounters(of: network.graph),
        record: try record(hash).json.text, to: path)
      report.contentHash = try hash.value()
      let file = try WeightsFile.read(path)
      if TestPicture.isReasonable(for: network.graph) {
        report.check = try original.agreement(with: ONNXNetwork.graph(file), path)
      } else {
        try requireRecord(report.contentHash, in: file)
      }
    }
  }

  /// The optimiser's state, if a format holds it; else it is reported as left behind.
  private func heldState(
    by format: TargetFormat, training: Bool, _ report: inout ExportReport
  ) -> OptimizerState? {
    guard let optimizer else { return nil }
    if format == .aviary || format == .pytorch && training { return optimizer }
    report.leftBehind.append(
      "the optimiser's state, \(optimizer.tensors.count) tensors: "
        + (format == .pytorch
          ? "a state dict holds none (--training writes a training checkpoint)"
          : "\(format.rawValue) holds none; a checkpoint (.h5) or .pt with --training does"))
    return nil
  }

  /// Throws unless the optimiser's state in a written file is the one that was written.
  private func requireState(_ found: OptimizerState?, _ path: String) throws {
    guard let optimizer else { return }
    guard let found, found.groups.map(\.parameters) == optimizer.groups.map(\.parameters) else {
      throw AviaryError.exchange(path: path, "the optimiser's state expected, none found")
    }
    try requireHash(ContentHash.of(optimizer.tensors), of: found.tensors, path)
  }

  /// The content hash of the weights that are written, found while they are.
  private func contentHash(of tensors: TensorSource) -> BackgroundTask<String, CheckpointError> {
    let known = verifiedHash
    return BackgroundTask.start { () throws(CheckpointError) in
      if let known { return known }
      return try ContentHash.of(tensors)
    }
  }

  /// What travels in a file of another framework, once all hashes are known.
  private func record(_ hash: BackgroundTask<String, CheckpointError>) throws(CheckpointError)
    -> ExportRecord
  {
    let contentHash = try hash.value()
    do {
      return try record(contentHash: contentHash, card: card)
    } catch {
      throw .cannotWrite(path: "the record", reason: "\(error)")
    }
  }

  /// What travels in a file of another framework.
  func record(contentHash: String, card: Card) throws -> ExportRecord {
    let name = network.architecture
    // What is said of scales that do not travel would be read as if they did.
    var card = card
    card.quantization = nil
    return ExportRecord(
      architecture: name.isEmpty ? nil : name, configuration: network.configuration,
      graph: network.graph.json, picture: network.picture.json, card: try JSON(encoding: card),
      contentHash: contentHash)
  }

  /// Throws unless the record in a written file leads back to the tensors.
  private func requireRecord(_ expected: String, in file: WeightsFile) throws {
    guard let text = file.record, let record = try ExportRecord(json: JSON(parsing: text)),
      let tensors = record.restored(file)
    else {
      throw AviaryError.exchange(path: file.path, "a record of its tensors expected, none found")
    }
    try requireHash(expected, of: tensors, file.path)
  }

  /// How far the outputs of what was written lie from those of the model.
  ///
  /// - Throws: `AviaryError.exchange` where they are not the same but for rounding.
  private func agreement(
    with written: ImportedGraph, _ path: String
  ) throws -> ExportReport.Check {
    let picture = try TestPicture(for: network.graph)
    let expected = try picture.outputs(of: network.graph, weights)
    let found = try picture.outputs(of: written.graph, written.weights)
    guard expected.count == found.count else {
      throw AviaryError.exchange(
        path: path, "\(expected.count) outputs expected, \(found.count) found")
    }
    var (largest, relative) = (0.0, 0.0)
    for (a, b) in zip(expected, found) {
      guard a.shape == b.shape else {
        throw AviaryError.exchange(
          path: path, "an output of shape \(a.shape) expected, \(b.shape) found")
      }
      let difference = TensorDifference(a, b)
      largest = max(largest, difference.largest)
      relative = max(relative, difference.relative)
    }
    // Other orders of summing are all that may differ; a network of NaN gives NaN on both sides.
    guard relative <= 1e-4 else {
      throw AviaryError.exchange(
        path: path, "outputs as those of the original expected, a difference of \(largest) found")
    }
    return .outputs(
      height: picture.size.height, width: picture.size.width, largest: largest, relative: relative)
  }

  private func requireHash(_ expected: String, of tensors: TensorSource, _ path: String) throws {
    let found = try ContentHash.of(tensors)
    guard found == expected else {
      throw AviaryError.hash(path: path, stored: expected, found: found)
    }
  }

  private func requireWritable(_ path: String) throws(CheckpointError) {
    do throws(FileError) {
      _ = try AtomicFile(replacing: path)
    } catch {
      throw CheckpointError(error)
    }
  }

  /// The Python file with the module that the weights in a file belong to.
  private func moduleSource(weights: String) throws -> String {
    let words =
      network.architecture.isEmpty
      ? ["network"] : network.architecture.split(separator: "-").map(String.init)
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return try PyTorchModule.source(
      graph: network.graph, className: name,
      weightsFile: weights.split(separator: "/").last.map(String.init) ?? weights)
  }

  private func write(_ text: String, to path: String) throws(CheckpointError) {
    do throws(FileError) {
      let file = try AtomicFile(replacing: path)
      try file.write(Array(text.utf8))
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }

  /// What the network is called where names are Python's: `residual_cae`.
  private var pythonName: String {
    let name = network.architecture.isEmpty ? "network" : network.architecture
    return String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}

extension TargetFormat {
  /// Which of Keras's files the format is.
  fileprivate var kerasFile: KerasModel.File {
    switch self {
    case .kerasWeights: .weights
    case .kerasHDF5: .legacy
    default: .archive
    }
  }
}

extension TensorSource {
  /// The tensors less the counters of a graph, which other frameworks than PyTorch do not have.
  fileprivate func withoutCounters(of graph: Graph) -> TensorSource {
    let counters = Set(graph.parameters.filter { $0.role == .bookkeeping }.map(\.name))
    return selecting(indices.filter { !counters.contains(self[$0].name) })
  }
}
