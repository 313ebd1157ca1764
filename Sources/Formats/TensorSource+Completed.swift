package import AviaryCheckpoint
import AviaryContainers
package import AviaryGraph
import AviaryTensor

extension TensorSource {
  /// The tensors that a graph has parameters for, in its order. Counters that are not there (a source
  /// of another framework has none) are made anew, as int64 zeros.
  ///
  /// - Throws: `InterchangeError.weights` for a parameter that is missing or of another shape.
  package func completed(for graph: Graph) throws(InterchangeError) -> TensorSource {
    var descriptions: [TensorDescription] = []
    var places: [Int?] = []
    let positions = Dictionary(names.enumerated().map { ($1, $0) }) { $1 }
    let known = Set(graph.parameters.map(\.name))
    for parameter in graph.parameters {
      guard let place = positions[parameter.name] else {
        guard parameter.role == .nonPersistent else {
          throw .weights(layer: parameter.name, expected: "shape \(parameter.shape)", found: "none")
        }
        places.append(nil)
        descriptions.append(
          TensorDescription(
            name: parameter.name, shape: parameter.shape, elementType: .int64, isBookkeeping: true))
        continue
      }
      var description = self[place]
      guard description.shape == parameter.shape else {
        throw .weights(
          layer: parameter.name, expected: "shape \(parameter.shape)",
          found: "\(description.shape)")
      }
      // A storage that is shared with what is not written is its own here.
      if let alias = description.alias, !known.contains(alias) { description.alias = nil }
      description.isBookkeeping = parameter.role == .nonPersistent
      descriptions.append(description)
      places.append(place)
    }
    return TensorSource(descriptions) {
      [places, descriptions] (position) throws(CheckpointError) in
      if let place = places[position] { return try self.tensor(at: place) }
      let wanted = descriptions[position]
      do {
        return try Tensor(zeros: wanted.shape, elementType: wanted.elementType)
      } catch {
        throw .damaged(path: wanted.name, part: "the tensor", reason: "\(error)")
      }
    }
  }
}
