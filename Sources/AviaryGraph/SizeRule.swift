/// The sizes that a network takes, and what it makes of them.
public struct SizeRule: Hashable, Sendable {
  /// Output size over input size, where they are in proportion at all, along both axes alike.
  public var scale: Ratio?
  /// Input heights and widths must be a multiple of this, else the network cannot run.
  public var multiple: Int
  /// Input heights and widths must be a multiple of this, else the output has another size than
  /// `scale` says, less `shrinkage` (residual-cae makes 66 of 65).
  public var exactMultiple: Int
  /// How many pixels the output is smaller than `scale` times the input: what convolutions without
  /// padding cost.
  public var shrinkage: Int
  /// The smallest input height and width that the network can run on.
  public var minimum: Int
  /// The only size that the network takes, where it states one: it is never asked about another.
  public var size: Size?
  /// Sides that are no multiple of `exactMultiple`, by what is left of them after division by
  /// `period`, whose output has the size that `scale` says nevertheless.
  package var exactResidues: Set<Int> = []
  /// At which multiple of pixels what the network makes of sizes repeats itself.
  package var period = 1

  /// A rule; without a size, for networks of any.
  public init(
    scale: Ratio?, multiple: Int, exactMultiple: Int, shrinkage: Int, minimum: Int,
    size: Size? = nil
  ) {
    (self.scale, self.multiple, self.exactMultiple) = (scale, multiple, exactMultiple)
    (self.shrinkage, self.minimum, self.size) = (shrinkage, minimum, size)
  }

  /// Whether the output for a side is in proportion to it, nothing less and nothing more, as far as
  /// what is left of it after division tells.
  package func isExact(_ side: Int) -> Bool {
    if side < minimum { return false }
    return shrinkage == 0 && side % exactMultiple == 0
      || exactResidues.contains(side % period)
  }
}

extension Graph {
  /// What the network makes of sizes, found by trying its shape functions on them.
  ///
  /// A network whose strides multiply to more than `GraphLimits.period`, or whose axes are treated
  /// differently, has no scale. A network that states its size is asked about that size alone.
  ///
  /// - Parameter output: the position of the output in `outputs`.
  public func sizeRule(output: Int = 0) -> SizeRule {
    let value = outputs[output].value
    let scale = scale(ofOutput: output)
    let silent = SizeRule(
      scale: scale, multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1, size: inputs[0].size)
    guard let scale else { return silent }
    if inputs.contains(where: { $0.size != nil }) {
      guard let size = inputs[0].size, let shape = nominalShapes?[value], shape.count == 4,
        let height = scale.scaled(size.height), let width = scale.scaled(size.width),
        height - shape[2] == width - shape[3]
      else { return silent }
      var rule = silent
      rule.shrinkage = height - shape[2]
      return rule
    }
    // Trying a period of sizes on every node must stay quick, whatever a file says.
    guard let period = period(of: value, scale), period * nodes.count <= 1 << 20 else {
      return silent
    }
    // On one period of sizes: which are valid, and by how much is the output off?
    let base = inputs[0].nominalShape[2] / period * period
    let found = (0..<period).map { offsets(of: value, scale, base + $0) }
    let shrinkage = found[0] ?? (0, 0)
    let divisors = (1...period).filter { period % $0 == 0 }
    func first(where condition: ((vertical: Int, horizontal: Int)?) -> Bool) -> Int {
      divisors.first { divisor in
        stride(from: 0, to: period, by: divisor).allSatisfy { condition(found[$0]) }
      } ?? period
    }
    let multiple = first { $0 != nil }
    var rule = SizeRule(
      scale: shrinkage.vertical == shrinkage.horizontal ? scale : nil,
      multiple: multiple,
      exactMultiple: first { $0.map { $0 == shrinkage } ?? false },
      shrinkage: shrinkage.vertical,
      minimum: minimum(multiple: multiple, valid: base))
    let exact = rule.exactMultiple
    let others = found.indices.filter { residue in
      (residue % exact != 0 || rule.shrinkage != 0) && found[residue].map { $0 == (0, 0) } ?? false
    }
    if !others.isEmpty { (rule.period, rule.exactResidues) = (period, Set(others)) }
    return rule
  }

  /// How many pixels an output is smaller than the scale says, for a square image; nil where the
  /// network cannot run on it.
  private func offsets(
    of value: Int, _ scale: Ratio, _ side: Int
  ) -> (vertical: Int, horizontal: Int)? {
    guard let shape = try? shapes(height: side, width: side)[value], shape.count == 4,
      let full = scale.scaled(side)
    else { return nil }
    return (full - shape[2], full - shape[3])
  }

  /// The least multiple on which the network can run, given one on which it can: what is too small
  /// for an operation stays so for anything smaller.
  private func minimum(multiple: Int, valid: Int) -> Int {
    var (above, below) = (valid / multiple, 0)
    while above - below > 1 {
      let middle = (above + below) / 2
      let side = middle * multiple
      if (try? shapes(height: side, width: side)) != nil { above = middle } else { below = middle }
    }
    return above * multiple
  }

  // MARK: - Scales

  /// Each output's size over the input's; nil where they are not in proportion along both axes
  /// alike.
  ///
  /// Ratios are multiplied along the operations; what has none (a permutation, a product of
  /// matrices) is tried on sizes.
  package var scales: [Ratio?] {
    let ratios = ratios
    return outputs.map { ratios[$0.value] ?? scaleByTrial($0.value) }
  }

  /// The scale of one output, as `scales`.
  package func scale(ofOutput output: Int) -> Ratio? {
    let value = outputs[output].value
    return ratios[value] ?? scaleByTrial(value)
  }

  /// The shapes of all values for inputs of the sizes that they state; nil where one states none.
  private var nominalShapes: [[Int]]? {
    guard inputs.allSatisfy({ $0.size != nil }) else { return nil }
    return try? shapes(for: inputs.map(\.nominalShape))
  }

  private func scaleByTrial(_ value: Int) -> Ratio? {
    if inputs.contains(where: { $0.size != nil }) {
      guard let size = inputs[0].size, let shape = nominalShapes?[value], shape.count == 4 else {
        return nil
      }
      let vertical = Ratio(shape[2], size.height), horizontal = Ratio(shape[3], size.width)
      return vertical == horizontal ? vertical : nil
    }
    // Sides that differ: a network that exchanges them is not in proportion. The smaller pair is
    // for those whose products of matrices grow beyond all limits on the larger.
    let nominal = inputs[0].nominalShape[2]
    for side in [nominal, nominal / 8] {
      let half = side / 2
      guard let high = try? shapes(height: side, width: half)[value],
        let wide = try? shapes(height: half, width: side)[value]
      else { continue }
      guard high.count == 4, wide.count == 4 else { return nil }
      let vertical = high[2] - wide[2], horizontal = wide[3] - high[3]
      return vertical == horizontal && vertical > 0 ? Ratio(vertical, side - half) : nil
    }
    return nil
  }

  /// At which multiple of pixels what the network makes of sizes repeats itself, for an output of
  /// this scale; nil beyond `GraphLimits.period`.
  private func period(of value: Int, _ scale: Ratio) -> Int? {
    guard let known = period else { return nil }
    if ratios[value] != nil { return known }
    // Strides behind what has no ratio do not show: tried until a period is like the next.
    var period = known / greatestCommonDivisor(known, scale.denominator)
    guard period <= GraphLimits.period, scale.denominator <= GraphLimits.period else { return nil }
    period *= scale.denominator
    while period <= GraphLimits.period, 2 * period * nodes.count <= 1 << 20 {
      let base = inputs[0].nominalShape[2] / period * period - period
      if base > period {
        let one = (0..<period).map { offsets(of: value, scale, base - period + $0) }
        let next = (0..<period).map { offsets(of: value, scale, base + $0) }
        // Sizes of which none is valid tell nothing.
        let repeats =
          next.contains { $0 != nil }
          && zip(one, next).allSatisfy { one, next in
            one?.vertical == next?.vertical && one?.horizontal == next?.horizontal
          }
        if repeats { return period }
      }
      period *= 2
    }
    return nil
  }
}
