package import AviaryCheckpoint
package import AviaryContainers
import AviaryGraph
import AviaryTensor

extension KerasModel {
  /// The three files that Keras has.
  package enum File: Hashable, Sendable {
    /// `.keras` of Keras 3, a whole model.
    case archive
    /// `.weights.h5` of Keras 3.
    case weights
    /// `.h5` of Keras 2, a whole model, which Keras 3 and tf_keras load.
    case legacy
  }

  /// Writes the model with the graph's weights.
  ///
  /// - Parameters:
  ///   - name: the model's.
  ///   - weights: all parameters that the model has, under canonical names in PyTorch's layout.
  ///   - record: our record, without its tensors, which are filled in; asked for once all weights are
  ///     written.
  /// - Throws: `CheckpointError.cannotWrite`, and what is wrong with where the weights come from.
  package func write(
    _ file: File, name: String, weights: TensorSource,
    record: @escaping @autoclosure () throws(CheckpointError) -> EmbeddedMetadata?, to path: String
  ) throws(CheckpointError) {
    let entries = recorded(file, weights)
    let order = order
    let stored = zip(order, members).map { position, member in
      KerasWeightsWriter.Layer(
        name: layers[position].name, member: member,
        variables: layers[position].variables.map { variable(of: $0, weights) })
    }
    let writer = KerasWeightsWriter(name: name, layers: stored) { () throws(CheckpointError) in
      var record = try record()
      record?.tensors = entries
      return record?.json.text
    }
    switch file {
    case .weights: try writer.write(to: path)
    case .archive:
      try writer.writeArchive(configuration: configuration(name: name, .keras3).text, to: path)
    case .legacy:
      try writer.writeLegacy(configuration: configuration(name: name, .keras2).text, to: path)
    }
  }

  /// For each stored tensor that is a parameter how to get that back.
  private func recorded(_ file: File, _ weights: TensorSource) -> [String: EmbeddedMetadata.Entry] {
    var entries: [String: EmbeddedMetadata.Entry] = [:]
    for (position, member) in zip(order, members) {
      for (number, variable) in layers[position].variables.enumerated() {
        guard case .parameter(let name, let steps) = variable.content else { continue }
        let path =
          file == .legacy
          ? KerasWeightsWriter.legacyPath(layer: layers[position].name, variable: variable.name)
          : KerasWeightsWriter.path(member: member, variable: number)
        let taken = Self.widening(weights[name]) + steps
        entries[path] = EmbeddedMetadata.Entry(name: name, undo: taken.inverse)
      }
    }
    return entries
  }

  private func variable(
    of variable: Variable, _ weights: TensorSource
  ) -> KerasWeightsWriter.Variable {
    KerasWeightsWriter.Variable(variable.name) { () throws(CheckpointError) in
      switch variable.content {
      case .constant(let tensor): return tensor
      case .parameter(let name, let steps):
        guard let tensor = try weights.tensor(name) else {
          throw .damaged(path: name, part: "the tensor", reason: "none with this name")
        }
        let result: Tensor
        do {
          result = try (Self.widening(weights[name]) + steps).applied(to: tensor)
        } catch {
          throw .damaged(path: name, part: "the tensor", reason: "\(error)")
        }
        guard result.shape == variable.shape else {
          throw .damaged(
            path: name, part: "the tensor",
            reason: "shape \(variable.shape) expected, \(result.shape) found")
        }
        return result
      }
    }
  }

  /// Keras computes in float32, and takes weights as that alone.
  private static func widening(_ tensor: TensorDescription?) -> [TensorStep] {
    guard let type = tensor?.elementType, type != .float32 else { return [] }
    return [.converted(from: type, to: .float32)]
  }
}
