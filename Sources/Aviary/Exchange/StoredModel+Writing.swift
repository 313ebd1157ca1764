internal import AviaryCheckpoint
internal import AviaryContainers
public import AviaryFormats
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryThreads

extension StoredModel {
  /// Writes the model to a file in a given format, then reads the file back and compares.
  ///
  /// - Parameters:
  ///   - path: the file; an existing file is replaced atomically.
  ///   - module: for PyTorch, a Python file for the module that loads the weights.
  ///   - training: for PyTorch, whether to write a training checkpoint, with the optimizer state
  ///     beside the state dict.
  ///   - names: for PyTorch and safetensors, how the parameters are called; those that the weights
  ///     came with unless stated.
  /// - Throws: `CheckpointError` for a file that cannot be written; `InterchangeError.target` for a
  ///   network that the format cannot express; `AviaryError.hash` or `.exchange` if the written
  ///   file does not match its source.
  public func write(
    to path: String, as format: TargetFormat, module: String? = nil, training: Bool = false,
    names: NameSet? = nil
  ) throws -> ExportReport {
    let monitor = FiniteMonitor()
    var model = self
    model.weights = monitor.watching(weights)
    var report = ExportReport(
      format: format, files: format.files(path), contentHash: "", check: .hash)
    report.leftBehind = leftBehind
    if format == .ncnn {
      report.leftBehind.append(
        "the model card, and what the network takes as an image (--input states it when it is read)"
      )
    }
    if !quantization.isEmpty, format != .aviary {
      report.leftBehind.append(
        "the scales of \(quantization.count) quantised convolutions: the weights are those of float32"
      )
    }
    model.optimizer = heldState(by: format, training: training, &report)
    // Fail on the second file before writing the first.
    let names = names ?? namesOfFile ?? .own
    let source = try module.map { _ in try model.moduleSource(weights: path, names) }
    if let module { try requireWritable(module) }
    var before: [PreviousFile] = []
    do {
      for file in report.files { before.append(try PreviousFile(file)) }
      try model.write(to: path, as: format, names, from: self, &report)
    } catch {
      for file in before { file.restore() }
      throw error
    }
    for file in before { file.discard() }
    if let module, let source {
      try write(source, to: module)
      report.files.append(module)
    }
    report.notFinite = monitor.notFinite
    return report
  }

  /// Writes the file and throws unless it reads back as what was written.
  ///
  /// - Parameter original: the model without the monitor on its weights.
  private func write(
    to path: String, as format: TargetFormat, _ names: NameSet, from original: StoredModel,
    _ report: inout ExportReport
  ) throws {
    switch format {
    case .aviary:
      report.contentHash = try checkpoint.write(to: path)
      let file = try CheckpointFile(path)
      try requireHash(report.contentHash, of: file.tensors, path)
      try requireState(file.training?.optimizer, expected: optimizer, path)
    case .pytorch, .safetensors:
      try writeState(to: path, as: format, names, from: original, &report)
    case .keras, .kerasWeights, .kerasHDF5:
      let keras = try KerasExport.model(network.graph)
      let hash = original.contentHash(of: original.weights.withoutCounters(of: network.graph))
      try keras.write(
        format.kerasFile, name: pythonName,
        weights: weights.withoutCounters(of: network.graph), record: try record(hash),
        to: path)
      report.contentHash = try hash.value()
      let file = try WeightsFile.read(path)
      // Read back twice, at the same time: for the tensors, and for what they compute.
      let expected = report.contentHash
      let record = BackgroundTask.start { () throws(CheckpointError) in
        Result { try requireRecord(expected, in: file) }
      }
      if let own = try KerasGraph.graph(of: file) {
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
      report.check = try original.agreement(with: ONNXNetwork.graph(file), path)
      if report.check == .tensors { try requireRecord(report.contentHash, in: file) }
    case .ncnn:
      let hash = original.contentHash(of: original.weights.withoutCounters(of: network.graph))
      report.changes = try NCNNExport.write(
        graph: network.graph, weights: weights.withoutCounters(of: network.graph), to: path)
      report.contentHash = try hash.value()
      let found = try original.agreement(with: NCNNModel.graph(WeightsFile.read(path)), path)
      guard found != .tensors else {
        throw AviaryError.exchange(
          path: path, "the network's only size is too large for it to be computed and compared")
      }
      report.check = found
    }
  }

  /// Writes a state dict and throws unless it reads back as what was written.
  private func writeState(
    to path: String, as format: TargetFormat, _ names: NameSet, from original: StoredModel,
    _ report: inout ExportReport
  ) throws {
    let state = try StateDict(weights.completed(for: network.graph), names, buffers: buffers)
    if !names.external.isEmpty { report.names = names.source }
    let hash = try original.contentHash(of: original.weights.completed(for: network.graph))
    let optimizer = optimizer?.renamed { names($0) }
    if format == .pytorch {
      try TorchZip.write(
        state.tensors, record: try record(hash, state.entries).json.text, optimizer: optimizer,
        to: path)
    } else {
      // The metadata precedes the elements, and at that point only the length of the hashes is
      // known.
      let zeros = "sha256:" + String(repeating: "0", count: 64)
      var foreseen = try record(contentHash: zeros, card: foreseenCard)
      foreseen.tensors = state.entries
      try SafeTensorsFile.write(
        state.tensors, metadata: ["format": "pt", "aviary": foreseen.json.text], to: path
      ) { () throws(CheckpointError) in
        ["format": "pt", "aviary": try record(hash, state.entries).json.text]
      }
    }
    report.contentHash = try hash.value()
    // Names that all begin like a wrapper's (`model.0`) are the network's own here.
    let file = try WeightsFile.read(path).withPrefix
    if state.entries.isEmpty {
      try requireHash(report.contentHash, of: file.tensors, path)
    } else {
      try requireRecord(report.contentHash, in: file)
    }
    try requireState(file.optimizer, expected: optimizer, path)
  }

  /// The optimizer state if the format can hold it; otherwise it is reported as left behind.
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

  /// Throws unless the optimizer state in the written file equals the original.
  private func requireState(
    _ found: OptimizerState?, expected: OptimizerState?, _ path: String
  ) throws {
    guard let expected else { return }
    guard let found, found.groups.map(\.parameters) == expected.groups.map(\.parameters) else {
      throw AviaryError.exchange(path: path, "read back without the optimiser's state")
    }
    try requireHash(ContentHash.of(expected.tensors), of: found.tensors, path)
  }

  /// The content hash of the weights, computed while they are written.
  private func contentHash(of tensors: TensorSource) -> BackgroundTask<String, CheckpointError> {
    let known = verifiedHash
    return BackgroundTask.start { () throws(CheckpointError) in
      if let known { return known }
      return try ContentHash.of(tensors)
    }
  }

  /// The metadata to embed, once all hashes are known.
  private func record(
    _ hash: BackgroundTask<String, CheckpointError>,
    _ tensors: [String: EmbeddedMetadata.Entry] = [:]
  ) throws(CheckpointError) -> EmbeddedMetadata {
    let contentHash = try hash.value()
    do {
      var record = try record(contentHash: contentHash, card: card)
      record.tensors = tensors
      return record
    } catch {
      throw .cannotWrite(path: "the record", reason: "\(error)")
    }
  }

  /// The metadata to embed in a third-party file.
  func record(contentHash: String, card: Card) throws -> EmbeddedMetadata {
    let name = network.architecture
    // The card must not mention quantization scales that are not exported.
    var card = card
    card.quantization = nil
    return EmbeddedMetadata(
      architecture: name.isEmpty ? nil : name, configuration: network.configuration,
      graph: network.graph.json, picture: network.picture.json, card: try JSON(encoding: card),
      contentHash: contentHash)
  }

  /// Throws unless the embedded metadata leads back to the tensors.
  private func requireRecord(_ expected: String, in file: WeightsFile) throws {
    guard let text = file.record, let record = try EmbeddedMetadata(json: JSON(parsing: text)),
      let tensors = record.restored(file)
    else {
      throw AviaryError.exchange(path: file.path, "read back without the record of its tensors")
    }
    try requireHash(expected, of: tensors, file.path)
  }

  /// Compares the outputs of the written network with those of the model.
  ///
  /// - Throws: `AviaryError.exchange` if they differ by more than rounding, `.notComparable` if the
  ///   model's own outputs are not finite.
  private func agreement(
    with written: ImportedGraph, _ path: String
  ) throws -> ExportReport.Check {
    guard let (own, other) = TestImage.comparable(network.graph, written.graph) else {
      return .tensors
    }
    let image = try TestImage(for: own)
    let expected = try image.outputs(of: own, weights)
    let found = try image.outputs(of: other, written.weights)
    guard expected.count == found.count else {
      throw AviaryError.exchange(
        path: path, "expected \(expected.count) outputs, found \(found.count)")
    }
    var (largest, relative) = (0.0, 0.0)
    for (a, b) in zip(expected, found) {
      guard a.shape == b.shape else {
        throw AviaryError.exchange(
          path: path, "expected an output of shape \(a.shape), found \(b.shape)")
      }
      let difference = TensorDifference(a, b)
      largest = max(largest, difference.largest)
      relative = max(relative, difference.relative)
    }
    // Only the order of summation may differ; a network of NaN gives NaN on both sides.
    guard relative <= 1e-4 else {
      if !expected.allSatisfy(\.isFinite) { throw AviaryError.notComparable(path: path) }
      // Some weights make much of rounding, of which two networks that compute the same have not the
      // same: then nothing shows whether these are the same.
      let nudged = try image.nudged().outputs(of: own, weights)
      let sensitivity = zip(expected, nudged).map { TensorDifference($0, $1).relative }.max() ?? 0
      if sensitivity > 0.25 * relative {
        throw AviaryError.illConditioned(path: path, sensitivity: sensitivity, difference: relative)
      }
      throw AviaryError.exchange(
        path: path, "the outputs differ from the original's by up to \(largest)")
    }
    return .outputs(
      height: image.size.height, width: image.size.width, largest: largest, relative: relative)
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

  /// The Python file with the module that loads the weights.
  private func moduleSource(
    weights: String, _ names: NameSet
  ) throws -> String {
    let words =
      network.architecture.isEmpty
      ? ["network"] : network.architecture.split(separator: "-").map(String.init)
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return try PyTorchModule.source(
      graph: network.graph.renamingParameters { names($0) }, className: name,
      weightsFile: weights.fileName, buffers: buffers)
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

  /// What a file for PyTorch holds besides the parameters; an optimiser counts the tensors beside it.
  private var buffers: [(name: String, buffer: UnusedTensors.Buffer)] {
    guard optimizer == nil else { return [] }
    return network.unused.compactMap { unused in unused.buffer.map { (unused.names, $0) } }
  }

  /// The network's name as a Python identifier: `residual_cae`.
  private var pythonName: String {
    let name = network.architecture.isEmpty ? "network" : network.architecture
    return String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}

extension TargetFormat {
  /// The kind of Keras file.
  fileprivate var kerasFile: KerasModel.File {
    switch self {
    case .kerasWeights: .weights
    case .kerasHDF5: .legacy
    default: .archive
    }
  }
}

extension Tensor {
  fileprivate var isFinite: Bool {
    unsafe withFloats { values in unsafe values.allSatisfy(\.isFinite) }
  }
}

extension TensorSource {
  /// The tensors without a graph's counters, which only PyTorch has.
  fileprivate func withoutCounters(of graph: Graph) -> TensorSource {
    let counters = Set(graph.parameters.filter { $0.role == .nonPersistent }.map(\.name))
    return selecting(indices.filter { !counters.contains(self[$0].name) })
  }
}
