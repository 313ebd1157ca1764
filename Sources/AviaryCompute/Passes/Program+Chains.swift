import AviaryGraph

extension Program {
  /// Lets convolutions by planes that follow one another be done line by line at once, where nobody
  /// else takes what lies between them; and the pixel shuffle and the addition behind the last.
  mutating func chainPlanes() {
    let uses = useCounts
    // Where the unit that gives a value stands among those that are left.
    var producer: [Int: Int] = [:]
    var result: [Unit?] = []
    for unit in units {
      var joined = unit
      for input in unit.inputs where uses[input] == 1 {
        guard let position = producer[input], let before = result[position],
          before.mode.algorithm == .planes, before.epilogue.residual == nil,
          let both = join(before, unit)
        else { continue }
        joined = both
        result[position] = nil
        break
      }
      producer[joined.output] = result.count
      result.append(joined)
    }
    units = result.compactMap { $0 }
  }

  /// A convolution by planes and what takes its result as one unit, if that can be.
  private func join(_ before: Unit, _ unit: Unit) -> Unit? {
    switch unit.work {
    case .convolution, .transposedConvolution:
      // Squares are woven into the result, not into a line.
      guard unit.mode.algorithm == .planes, before.shuffle == 1, case .convolution = before.work,
        before.before.count + 2 <= PlaneConvolutions.most
      else { return nil }
      var both = unit
      both.before = before.before + [before]
      both.before[both.before.count - 1].before = []
      both.inputs = before.inputs
      both.mode.input = before.mode.input
      return both
    case .other(.pixelShuffle(let shuffle)) where shuffle.order == .pytorch:
      guard before.shuffle == 1, case .convolution = before.work, unit.mode.output == .planar
      else { return nil }
      var both = before
      both.shuffle = shuffle.factor
      both.output = unit.output
      return both
    case .other(.binary(.add)):
      // What comes from outside may not be written over; nothing is repeated.
      let others = unit.inputs.filter { $0 != before.output }
      guard before.epilogue.slopes == nil, unit.mode.output == .planar, others.count == 1,
        values[others[0]].shape == values[unit.output].shape,
        values[before.output].shape == values[unit.output].shape, !inputs.contains(others[0])
      else { return nil }
      var both = before
      both.epilogue.residual = others[0]
      both.output = unit.output
      return both
    case .affine, .relayout, .gradient, .other: return nil
    }
  }
}
