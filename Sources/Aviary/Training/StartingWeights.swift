internal import AviaryCheckpoint
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

/// Weights of a checkpoint that a training starts from, where names and shapes agree: a network for
/// x3 or x4 starts from one for x2, without its tail.
struct StartingWeights {
  /// The parameters taken from the checkpoint.
  let tensors: [String: Tensor]
  /// The names of those that are initialized anew, in the network's order.
  let missing: [String]
  /// The history of the weights taken, ending with the checkpoint itself.
  let provenance: [Card.Provenance]
  private let reference: String

  /// - Parameter reference: a path or a name, as `Zoo.model` takes it.
  /// - Throws: errors from `Zoo.model`; `TrainingError.recipe` if nothing agrees.
  init(_ reference: String, for graph: Graph, in zoo: Zoo) throws {
    self.reference = reference
    let source = try zoo.model(reference).model
    var tensors: [String: Tensor] = [:]
    var missing: [String] = []
    for parameter in graph.parameters where parameter.role != .nonPersistent {
      if let found = source.weights[parameter.name], found.shape == parameter.shape {
        tensors[parameter.name] = found.converted(to: .float32)
      } else {
        missing.append(parameter.name)
      }
    }
    guard !tensors.isEmpty else {
      throw TrainingError.recipe(
        field: "from", expected: "weights of the network's names and shapes",
        found: "none among the \(source.weights.count) of \(reference)")
    }
    (self.tensors, self.missing) = (tensors, missing)
    let file = reference.fileName
    provenance =
      source.card.provenance + [
        Card.Provenance(
          file: file, format: "Aviary checkpoint, content \(source.checkpoint.contentHash)",
          conversions: [
            "trained further, from \(tensors.count) of \(tensors.count + missing.count) tensors"
          ])
      ]
  }

  /// One line that says what was taken.
  var report: String {
    let all = tensors.count + missing.count
    let left = missing.prefix(4).joined(separator: ", ") + (missing.count > 4 ? ", …" : "")
    return "\(reference): \(tensors.count) of \(all) tensors taken"
      + (missing.isEmpty ? "" : "; begun anew: \(left)")
  }
}
