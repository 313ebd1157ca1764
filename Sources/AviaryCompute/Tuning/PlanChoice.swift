/// How one layer of a plan is done, for reports, and for whoever wants the same again.
public struct PlanChoice: Codable, Hashable, Sendable {
  /// The node of the graph, and what is done for it.
  public var layer: String
  /// The layouts that are taken and given, the algorithm, and in which numbers:
  /// `blocked float32>blocked float32 winograd`.
  public var mode: String

  /// A layer's way.
  public init(layer: String, mode: String) { (self.layer, self.mode) = (layer, mode) }

  init(_ unit: Unit, _ mode: Mode) {
    self.init(layer: "\(unit.name) \(unit.work.name)", mode: mode.text)
  }
}

extension Mode {
  /// What tells it from a unit's other modes, as caches and checkpoints have it.
  var text: String {
    let taken = others.map { "\(input),\($0)" } ?? "\(input)"
    return "\(taken) \(inputNumbers.name)>\(output) \(outputNumbers.name) \(algorithm)"
      + (isSeparate ? " separate" : "")
  }
}

extension Mode {
  /// Whether it is the same way, whatever it costs and what numbers are worth: whether `text` is the
  /// same.
  func isSame(as other: Mode) -> Bool {
    input == other.input && others == other.others && output == other.output
      && algorithm == other.algorithm && inputNumbers.number == other.inputNumbers.number
      && outputNumbers.number == other.outputNumbers.number && isSeparate == other.isSeparate
  }
}
