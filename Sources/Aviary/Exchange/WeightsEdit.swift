public import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
internal import AviaryFiles
public import AviaryGraph
public import AviaryTensor

/// Edits weights without running them: renames, casts, drops and merges tensors, and changes the
/// model card.
public struct WeightsEdit: Sendable {
  /// Another file to merge in, and its share.
  public struct Share: Sendable {
    /// The file.
    public var path: String
    /// Its share of the result; the first file has what is left of 1.
    public var weight: Double

    /// A share.
    public init(path: String, weight: Double) { (self.path, self.weight) = (path, weight) }
  }

  /// How layers, or single tensors, are renamed.
  public var names: NameMap?
  /// Patterns with `*` and `?` for the tensors to drop.
  public var dropped: [String]
  /// The element type to store floating-point weights as; nil to keep each tensor's own.
  public var elementType: ElementType?
  /// The files to interpolate with.
  public var shares: [Share]
  /// The licence to state in the model card; nil to keep the one there.
  public var licence: String?
  /// Notes to add to the model card.
  public var notes: [String]

  /// Changes nothing by default.
  public init(
    names: NameMap? = nil, dropped: [String] = [], elementType: ElementType? = nil,
    shares: [Share] = [], licence: String? = nil, notes: [String] = []
  ) {
    self.names = names
    self.dropped = dropped
    self.elementType = elementType
    self.shares = shares
    self.licence = licence
    self.notes = notes
  }
}

/// Weights, with the network that they belong to if it is known.
public struct EditedWeights: Sendable {
  /// The network; nil if none was detected, or if tensors that it needs were dropped.
  public var network: Network?
  /// The tensors.
  public var weights: TensorSource
  /// The model card.
  public var card: Card
  /// The state of the optimizer that trained them.
  public var optimizer: OptimizerState?
  /// Quantization scales of the convolutions that can compute in int8.
  public var quantization: [QuantizedLayer] = []
  /// What was done, in words.
  public var changes: [String] = []
}

extension WeightsEdit {
  /// Opens a file and applies the changes; no elements are read yet.
  ///
  /// - Parameter options: what the user states about a third-party file.
  /// - Throws: errors from opening a file; `AviaryError.edit` for changes that the file does not
  ///   allow: two tensors with the same name, a pattern that matches nothing, files of different
  ///   networks to be merged.
  public func applied(
    to path: String, _ options: ImportOptions = ImportOptions(), registry: Registry
  ) throws -> EditedWeights {
    var result = try EditedWeights(opening: path, options, registry)
    if let licence {
      result.card.licence = licence
      result.changes.append("licence stated: \(licence)")
    }
    if !notes.isEmpty {
      result.card.notes += notes
      result.changes.append("\(notes.count) notes added")
    }
    let original = result.weights
    var others: [TensorSource] = []
    for share in shares {
      let other = try EditedWeights(opening: share.path, options, registry)
      try requireSameTensors(path, result.weights, share.path, other.weights)
      if let own = result.network, let its = other.network, !own.graph.isEquivalent(to: its.graph) {
        throw AviaryError.edit(
          path: share.path,
          "computes something else than the network of \(path)")
      }
      others.append(other.weights)
    }
    if !shares.isEmpty {
      result.weights = merged(result.weights, others)
      let parts = shares.map { share in
        "\(share.weight) of \(share.path.fileName)"
      }
      result.changes.append("interpolated with \(parts.joined(separator: ", "))")
      if result.optimizer != nil {
        result.optimizer = nil
        result.changes.append("the optimiser's state left out: it is not that of a mixture")
      }
    }
    try drop(from: &result, path)
    try rename(&result, path)
    if let elementType {
      let source = result.weights
      result.weights = try source.changed { tensor in
        tensor.elementType.isFloatingPoint && tensor.elementType != elementType
          ? [.converted(from: tensor.elementType, to: elementType)] : []
      }
      result.changes.append("stored as \(elementType)")
    }
    let changesWeights = names != nil || !dropped.isEmpty || !shares.isEmpty || elementType != nil
    if changesWeights, !result.quantization.isEmpty {
      (result.quantization, result.card.quantization) = ([], nil)
      result.changes.append(
        "the scales of quantised convolutions left out: they are other weights'")
    }
    if let optimizer = result.optimizer {
      let (state, lost) = optimizer.following(from: original, to: result.weights)
      result.optimizer = state
      if !lost.isEmpty {
        result.changes.append("\(lost.count) tensors of the optimiser's state left out")
      }
    }
    return result
  }

  private func drop(from result: inout EditedWeights, _ path: String) throws {
    for pattern in dropped {
      let source = result.weights
      let kept = source.indices.filter { !Registry.matches(source[$0].name, pattern) }
      guard kept.count < source.count else {
        throw AviaryError.edit(
          path: path, "no tensor matches '\(pattern)'")
      }
      guard !kept.isEmpty else {
        throw AviaryError.edit(path: path, "no tensor would be left")
      }
      result.weights = source.selecting(kept)
      result.changes.append("\(source.count - kept.count) tensors '\(pattern)' left out")
    }
    guard !dropped.isEmpty, let network = result.network else { return }
    let difference = StateDictDifference(
      WeightIndex(result.weights), network.graph, network: network.label)
    if !difference.isEmpty {
      result.network = nil
      result.changes.append("no longer the weights of \(network.label)")
    }
  }

  private func rename(_ result: inout EditedWeights, _ path: String) throws {
    guard let names else { return }
    let source = result.weights
    // A pattern matches a layer or a whole tensor.
    func renamed(_ name: String) -> String {
      let layer = names.canonical(name)
      return layer != name ? layer : String(names.canonical(name + ".").dropLast())
    }
    let new = source.names.map(renamed)
    guard Set(new).count == new.count else {
      let twice = Dictionary(grouping: new) { $0 }.filter { $1.count > 1 }.keys.sorted()
      throw AviaryError.edit(
        path: path, "two tensors would have the name '\(twice[0])'")
    }
    let count = zip(new, source.names).count { $0 != $1 }
    guard count > 0 else {
      throw AviaryError.edit(path: path, "no layer would be renamed")
    }
    result.weights = source.renamed(renamed)
    result.changes.append("\(count) tensors renamed")
    guard let network = result.network else { return }
    // The graph is what runs; the architecture knows its layers by other names.
    result.network = Network(
      architecture: "", configuration: [:], graph: try network.graph.renamingParameters(renamed),
      picture: network.picture)
  }

  private func requireSameTensors(
    _ path: String, _ a: TensorSource, _ other: String, _ b: TensorSource
  ) throws(AviaryError) {
    for tensor in a {
      guard let counterpart = b[tensor.name] else {
        throw .edit(path: other, "has no \(tensor.name), which \(path) has")
      }
      guard counterpart.shape == tensor.shape else {
        throw .edit(
          path: other,
          "\(tensor.name): expected shape \(tensor.shape) as in \(path), found \(counterpart.shape)"
        )
      }
    }
    guard a.count == b.count else {
      throw .edit(path: other, "expected \(a.count) tensors as in \(path), found \(b.count)")
    }
  }

  /// The weighted sum, tensor by tensor, in float32.
  private func merged(_ first: TensorSource, _ others: [TensorSource]) -> TensorSource {
    let others = zip(others, shares).map { (source: $0, weight: Float($1.weight)) }
    let own = Float(1 - shares.reduce(0) { $0 + $1.weight })
    var descriptions = first.descriptions
    for i in descriptions.indices where descriptions[i].elementType.isFloatingPoint {
      descriptions[i].elementType = .float32
      descriptions[i].alias = nil
    }
    return TensorSource(descriptions) { [descriptions] (position) throws(CheckpointError) in
      let tensor = try first.tensor(at: position)
      guard tensor.elementType.isFloatingPoint else { return tensor }
      var sum = tensor.converted(to: .float32)
      unsafe sum.withMutableFloats { for i in $0.indices { unsafe $0[i] *= own } }
      for (source, weight) in others {
        guard let other = try source.tensor(descriptions[position].name) else { continue }
        unsafe other.converted(to: .float32).withFloats { values in
          unsafe sum.withMutableFloats { sum in
            for i in sum.indices { unsafe sum[i] += weight * values[i] }
          }
        }
      }
      return sum
    }
  }
}

extension EditedWeights {
  /// A file as a model, or as named tensors if no network was detected.
  fileprivate init(opening path: String, _ options: ImportOptions, _ registry: Registry) throws {
    do {
      let model = try StoredModel(opening: path, options, registry: registry)
      self.init(
        network: model.network, weights: model.weights, card: model.card,
        optimizer: model.optimizer, quantization: model.quantization)
      changes = (model.report?.conversions ?? []) + model.leftBehind
    } catch let error where error.isAboutTheNetwork {
      let file = try NamelessWeights(path, options)
      self.init(network: nil, weights: file.tensors, card: file.card)
    }
  }
}

extension EditedWeights {
  /// The weights as a native checkpoint, to be written.
  ///
  /// - Parameter path: the file that they come from, for the model card.
  /// - Throws: `CheckpointError` for a file that cannot be read.
  public func checkpoint(from path: String) throws -> CheckpointFile {
    let storable = weights.storable
    var card = card
    card.provenance.append(
      Card.Provenance(
        file: path.fileName,
        sha256: try? WeightsFile.sha256(path), format: try FileFormat.probe(path).name,
        conversions: changes))
    guard let network else {
      return CheckpointFile(
        tensors: storable, card: card, createdBy: Aviary.versionLine,
        training: optimizer.map { TrainingState(optimizer: $0.storable) }
      )
    }
    var model = StoredModel(network, weights: storable, card: card)
    (model.optimizer, model.quantization) = (optimizer, quantization)
    return model.checkpoint
  }
}
