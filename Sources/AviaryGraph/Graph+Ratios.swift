extension Graph {
  /// The ratio of each value's height and width to those of the first input; nil for values whose
  /// size does not depend on the input's in that way (one pixel after a global pooling, a matrix),
  /// or along both axes alike.
  package var ratios: [Ratio?] {
    zip(ratios(along: .vertical), ratios(along: .horizontal)).map { $0 == $1 ? $0 : nil }
  }

  /// The ratio of each value's extent along an axis to the first input's, as `ratios`.
  func ratios(along axis: Axis) -> [Ratio?] {
    var ratios: [Ratio?] = inputs.map { _ in Ratio(1) }
    for node in nodes {
      ratios.append(node.op.ratio(node.inputs.map { ratios[$0] }, axis))
    }
    return ratios
  }

  /// How far apart pixels of the input lie that all values see alike: the least number of which
  /// every stride in the network makes a whole number. Nil beyond `GraphLimits.period`.
  var period: Int? {
    var period = 1
    for ratio in ratios(along: .vertical) + ratios(along: .horizontal) {
      guard let denominator = ratio?.denominator else { continue }
      let factor = denominator / greatestCommonDivisor(period, denominator)
      guard factor <= GraphLimits.period, period * factor <= GraphLimits.period else { return nil }
      period *= factor
    }
    return period
  }
}

extension Op {
  /// The output's extent over the first input's, given the inputs' over the graph's.
  fileprivate func ratio(_ inputs: [Ratio?], _ axis: Axis) -> Ratio? {
    func first(times factor: Ratio) -> Ratio? { inputs[0]?.multiplied(by: factor) }
    switch self {
    case .convolution(let c): return first(times: Ratio(1, c.stride[axis]))
    case .transposedConvolution(let c): return first(times: Ratio(c.stride[axis]))
    case .maxPool(let pool), .averagePool(let pool, _):
      return first(times: Ratio(1, pool.stride[axis]))
    case .pixelShuffle(let factor, _): return first(times: Ratio(factor))
    case .pixelUnshuffle(let factor, _): return first(times: Ratio(1, factor))
    case .resize(let resize):
      guard case .factor(let ratio) = resize.target else { return inputs[1] }
      return first(times: ratio)
    case .globalAveragePool, .linear, .matmul, .reshape, .permute: return nil
    case .reduce(let reduction):
      return reduction.dimensions.contains { $0 >= 2 } || !reduction.keepsDimensions
        ? nil : inputs[0]
    case .add, .subtract, .multiply, .concatenate: return inputs.lazy.compactMap { $0 }.first
    default: return inputs[0]
    }
  }
}
