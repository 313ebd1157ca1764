import AviaryGraph
import AviaryTensor

extension NCNNImporter {
  static let window = 1...GraphLimits.window
  static let edge = 0...GraphLimits.window

  func common(
    _ layer: NCNNLayer
  ) throws(InterchangeError) -> (outChannels: Int, groups: Int, bias: Bool) {
    for number in [19, 28] where !layer.type.hasPrefix("Deconvolution") || number == 28 {
      try layer.require(number, 0, default: 0, "weights from another layer")
    }
    let filters = try layer.integer(0, in: 1...GraphLimits.channels)
    let groups =
      layer.type.hasSuffix("DepthWise")
      ? try layer.integer(7, default: 1, in: 1...GraphLimits.channels) : 1
    guard filters.isMultiple(of: groups) else { throw layer.unsupported("\(groups) groups") }
    return (filters, groups, try layer.integer(5, in: 0...1) == 1)
  }

  mutating func finish(
    _ layer: NCNNLayer, _ op: Op, bias: Bool
  ) throws(InterchangeError) {
    let value = try add(
      op, layer, try values(of: layer), parameters: bias ? ["weight", "bias"] : ["weight"])
    try give(layer, .value(try fused(layer, value)))
  }

  /// Left, right, top and bottom, each that of an earlier one where it is not stated; -233 is
  /// TensorFlow's rule.
  func padding(_ layer: NCNNLayer) throws(InterchangeError) -> Padding {
    let range = -234...GraphLimits.window
    let left = try layer.integer(4, in: range)
    let right = try layer.integer(15, default: left, in: range)
    let top = try layer.integer(14, default: left, in: range)
    let bottom = try layer.integer(16, default: top, in: range)
    if [left, right, top, bottom].contains(-233) { return .same }
    guard [left, right, top, bottom].allSatisfy({ $0 >= 0 }) else {
      throw layer.unsupported("padding 'same' with the odd row at the top")
    }
    return .explicit(PaddingAmounts(top, left, bottom, right))
  }
}
