extension Graph {
  /// The ratio of each value's height and width to those of the first input; nil for values whose
  /// size does not depend on the input's in that way (one pixel after a global pooling, a matrix),
  /// or along both axes alike.
  package var ratios: [Ratio?] {
    zip(ratios(along: .vertical), ratios(along: .horizontal)).map { $0 == $1 ? $0 : nil }
  }

  /// The ratio of each value's extent along an axis to the first input's, as `ratios`.
  func ratios(along axis: Axis) -> [Ratio?] {
    guard let (graph, values) = try? expanded() else {
      return Array(repeating: nil, count: inputs.count + nodes.count)
    }
    var ratios: [Ratio?] = inputs.map { _ in Ratio(1) }
    for node in graph.nodes {
      let field = node.op.operation.receptiveField(axis)
      ratios.append(field.ratio(node.inputs.map { ratios[$0] }))
    }
    return values.map { ratios[$0] }
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
