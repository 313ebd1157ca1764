import AviaryGraph

extension Program {
  /// Makes one unit of several: scales and shifts go into the weights of the convolution before
  /// them, cheap activations and the addition of another value into its epilogue.
  ///
  /// One pass in order of execution: what follows a fused unit finds it as the producer of its
  /// input, so that convolution, batch normalisation, activation and addition all come together.
  mutating func fuse() {
    let uses = useCounts
    // The position of the unit that gives a value, and units that are no more.
    var producer = [Int?](repeating: nil, count: values.count)
    var isGone = [Bool](repeating: false, count: units.count)
    for position in units.indices {
      let unit = units[position]
      producer[unit.output] = position
      // The unit that gives a value which nobody else takes.
      func only(_ value: Int) -> Int? { uses[value] == 1 ? producer[value] : nil }
      switch unit.work {
      case .affine:
        guard let before = only(unit.inputs[0]), units[before].takesAffine else { continue }
        units[before].affine += unit.affine
        replace(unit, at: position, with: before, &producer, &isGone)
      case .other(.activation(let activation)):
        guard activation.isCheap, let before = only(unit.inputs[0]),
          units[before].work.isConvolution
        else { continue }
        if units[before].epilogue.isEmpty {
          units[before].epilogue.activation = activation
        } else if units[before].epilogue.residual != nil,
          units[before].epilogue.finalActivation == nil
        {
          units[before].epilogue.finalActivation = activation
        } else {
          continue
        }
        replace(unit, at: position, with: before, &producer, &isGone)
      case .other(.add):
        fuseAddition(position, unit.inputs.map(only), &producer, &isGone)
      default: break
      }
    }
    units = zip(units, isGone).filter { !$1 }.map(\.0)
  }

  /// Lets the unit at `position` be done by the one before it.
  private mutating func replace(
    _ unit: Unit, at position: Int, with before: Int, _ producer: inout [Int?],
    _ isGone: inout [Bool]
  ) {
    units[before].output = unit.output
    producer[unit.output] = before
    isGone[position] = true
  }

  /// - Parameter before: for each summand, the unit that gives it to nobody else, if there is one.
  private mutating func fuseAddition(
    _ position: Int, _ before: [Int?], _ producer: inout [Int?], _ isGone: inout [Bool]
  ) {
    let addition = units[position]
    let (a, b) = (addition.inputs[0], addition.inputs[1])
    guard a != b, values[a].shape == values[b].shape else { return }
    // Of two convolutions, the later: it finds the other's result in place.
    let candidates = [(before[0], b), (before[1], a)].compactMap {
      before, other -> (unit: Int, other: Int)? in
      // What comes from outside may not be written over, as adding in place would.
      guard let before, units[before].work.isConvolution,
        units[before].epilogue.residual == nil, !inputs.contains(other)
      else { return nil }
      return (before, other)
    }
    guard let chosen = candidates.max(by: { $0.unit < $1.unit }) else { return }
    var unit = units[chosen.unit]
    unit.epilogue.residual = chosen.other
    unit.output = addition.output
    // At the place of the addition, where the other summand is there in any case.
    units[position] = unit
    isGone[chosen.unit] = true
    producer[unit.output] = position
  }
}

extension Unit {
  /// Whether a scale and a shift can be folded into this unit.
  fileprivate var takesAffine: Bool {
    work == .affine || work.isConvolution && epilogue.isEmpty
  }
}
