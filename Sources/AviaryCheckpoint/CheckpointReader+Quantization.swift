import AviaryContainers
import AviaryTensor

extension CheckpointReader {
  private typealias Quantization = CheckpointLayout.Quantization

  /// The scales of the layers that compute in whole numbers, by name; empty where there are none.
  ///
  /// Whether the nodes are those of the graph is for those to say who read it.
  func quantization() throws(CheckpointError) -> [QuantizedLayer] {
    guard let group = try Self.group(CheckpointLayout.Member.quantization, in: tree.root, path)
    else { return [] }
    var layers: [QuantizedLayer] = []
    for (name, member) in group.members {
      let part = "\(group.path)/\(name)"
      guard case .dataSet(let dataSet) = member else {
        throw .damaged(path: path, part: part, reason: "a data set expected, a group found")
      }
      guard dataSet.elementType == .float32, dataSet.shape.count == 1,
        (1...Quantization.mostFilters).contains(dataSet.shape[0])
      else {
        throw .damaged(
          path: path, part: part,
          reason: "float32 of shape [1 to \(Quantization.mostFilters)] expected, "
            + "\(dataSet.elementType?.rawValue ?? "no numbers") of shape \(dataSet.shape) found")
      }
      let isSigned = try isSigned(dataSet, part)
      guard case .floats(let steps)? = dataSet.attributes[Quantization.inputScale], steps.count == 1,
        QuantizedLayer.isStep(Float(steps[0]))
      else {
        throw .damaged(
          path: path, part: part,
          reason: "an attribute \(Quantization.inputScale) above 0 expected, none found")
      }
      let weights = try tree.tensor(dataSet).floats
      guard weights.allSatisfy(QuantizedLayer.isStep) else {
        throw .damaged(
          path: path, part: part, reason: "finite numbers above 0 expected, others found")
      }
      layers.append(
        QuantizedLayer(
          node: name, inputScale: Float(steps[0]), isSigned: isSigned, weightScales: weights))
    }
    return layers.sorted { $0.node < $1.node }
  }

  private func isSigned(
    _ dataSet: HDF5Tree.DataSet, _ part: String
  ) throws(CheckpointError) -> Bool {
    switch dataSet.attributes[Quantization.inputType]?.string {
    case Quantization.signed: return true
    case Quantization.unsigned: return false
    case let found:
      throw .damaged(
        path: path, part: part,
        reason: "an attribute \(Quantization.inputType) of int8 or uint8 expected, "
          + "\(found ?? "none") found")
    }
  }
}
