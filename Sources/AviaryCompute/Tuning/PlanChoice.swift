/// How one layer of a plan is done, for reports, and for whoever wants the same again.
public struct PlanChoice: Codable, Hashable, Sendable {
  /// The node of the graph, and what is done for it.
  public var layer: String
  /// The memory formats that are taken and given, the algorithm, and in which data type:
  /// `nChw16c float32>nChw16c float32 winograd`.
  public var candidate: String

  /// A layer's way.
  public init(layer: String, candidate: String) { (self.layer, self.candidate) = (layer, candidate) }

  init(_ fusedOp: FusedOp, _ candidate: KernelCandidate) {
    self.init(layer: "\(fusedOp.name) \(fusedOp.kind.name)", candidate: candidate.text)
  }
}

extension KernelCandidate {
  /// What tells it from a fused op's other kernel candidates, as caches and checkpoints have it.
  var text: String {
    let taken = others.map { "\(input),\($0)" } ?? "\(input)"
    return "\(taken) \(inputDataType.name)>\(output) \(outputDataType.name) \(algorithm)"
      + (isSeparate ? " separate" : "")
  }
}

extension KernelCandidate {
  /// Whether it is the same way, whatever it costs and what numbers are worth: whether `text` is the
  /// same.
  func isSame(as other: KernelCandidate) -> Bool {
    input == other.input && others == other.others && output == other.output
      && algorithm == other.algorithm && inputDataType.number == other.inputDataType.number
      && outputDataType.number == other.outputDataType.number && isSeparate == other.isSeparate
  }
}
