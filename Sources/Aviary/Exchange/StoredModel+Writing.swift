public import AviaryCheckpoint
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryInterchange

extension StoredModel {
  /// Writes the model as a file of a format, then reads it back and compares.
  ///
  /// - Parameters:
  ///   - path: the file; what is there is replaced in one step.
  ///   - module: with PyTorch's format, a Python file for the module that the weights belong to.
  /// - Throws: `CheckpointError` for a file that cannot be written; `InterchangeError.target` for a
  ///   network that the format cannot express; `AviaryError.hash` or `.exchange` if what was written
  ///   does not read back as what it was written from.
  public func write(
    to path: String, as format: TargetFormat, module: String? = nil
  ) throws -> ExportReport {
    let monitor = FiniteMonitor()
    var model = self
    model.weights = monitor.watching(weights)
    var report = ExportReport(format: format, files: [path], contentHash: "", check: .hash)
    switch format {
    case .aviary:
      report.contentHash = try model.checkpoint.write(to: path)
      try requireHash(report.contentHash, of: CheckpointFile(path).tensors, path)
    case .pytorch, .safetensors:
      let tensors = try model.weights.completed(for: network.graph)
      report.contentHash = try ContentHash.of(tensors)
      let record = try record(contentHash: report.contentHash).json.text
      if format == .pytorch {
        try TorchZip.write(tensors, record: record, to: path)
      } else {
        try SafeTensorsFile.write(tensors, metadata: ["format": "pt", "aviary": record], to: path)
      }
      try requireHash(report.contentHash, of: WeightsFile.read(path).tensors, path)
    case .keras, .kerasWeights, .kerasHDF5, .onnx:
      throw CheckpointError.unsupported(path: path, what: "writing \(format.rawValue)")
    }
    if let module {
      try writeModule(to: module, weights: path)
      report.files.append(module)
    }
    report.notFinite = monitor.notFinite
    return report
  }

  /// What travels in a file of another framework.
  func record(contentHash: String) throws -> ExportRecord {
    let name = network.architecture
    return ExportRecord(
      architecture: name.isEmpty ? nil : name, configuration: network.configuration,
      graph: network.graph.json, picture: network.picture.json, card: try JSON(encoding: card),
      contentHash: contentHash)
  }

  private func requireHash(_ expected: String, of tensors: TensorSource, _ path: String) throws {
    let found = try ContentHash.of(tensors)
    guard found == expected else {
      throw AviaryError.hash(path: path, stored: expected, found: found)
    }
  }

  private func writeModule(to path: String, weights: String) throws {
    let words =
      network.architecture.isEmpty
      ? ["network"] : network.architecture.split(separator: "-").map(String.init)
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    let source = try PyTorchModule.source(
      graph: network.graph, className: name,
      weightsFile: weights.split(separator: "/").last.map(String.init) ?? weights)
    do throws(FileError) {
      let file = try AtomicFile(replacing: path)
      try file.write(Array(source.utf8))
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }
}
