import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension OptimizerState {
  /// In words: "adam, step 300000, 18 tensors, 1.2 MB".
  var text: String {
    let parts = [
      algorithm ?? "of an unknown kind", step.map { "step \($0)" },
      "\(tensors.count) tensors", NumberText.bytes(byteCount),
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// For machines.
  var json: JSON {
    var members: [String: JSON] = [
      "tensors": .int(tensors.count), "bytes": .int(byteCount), "groups": .int(groups.count),
    ]
    members["algorithm"] = algorithm.map(JSON.string)
    members["step"] = step.map(JSON.int)
    return .object(members)
  }

  /// Shapes of a native checkpoint are checked against its data only when these are read.
  private var byteCount: Int {
    tensors.reduce(0) { sum, tensor in
      let count = (try? Tensor.count(of: tensor.shape)) ?? 0
      return sum.addingReportingOverflow(count * tensor.elementType.byteCount).partialValue
    }
  }
}
