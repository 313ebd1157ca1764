import AviaryGraph

extension Program {
  /// Makes one unit of several: scales and shifts go into the weights of the convolution before
  /// them, cheap activations and the addition of another value into its epilogue.
  ///
  /// - Parameter isTraining: whether weights have gradients, so that nothing may be folded into them.
  mutating func fuse(isTraining: Bool = false) {
    var fusion = Fusion(self, foldsAffine: !isTraining)
    fusion.run()
    units = fusion.result
  }
}

/// The work of `Program.fuse`.
private struct Fusion {
  private let program: Program
  private var units: [Unit]
  /// Which units are done by others.
  private var isGone: [Bool]
  /// The position of the unit that gives a value.
  private var producer: [Int?]
  private let uses: [Int]
  private let foldsAffine: Bool

  init(_ program: Program, foldsAffine: Bool) {
    self.program = program
    self.foldsAffine = foldsAffine
    units = program.units
    isGone = Array(repeating: false, count: program.units.count)
    producer = Array(repeating: nil, count: program.values.count)
    uses = program.useCounts
  }

  /// The units that are left.
  var result: [Unit] { zip(units, isGone).filter { !$1 }.map(\.0) }

  /// One pass in order of execution: what follows a fused unit finds it as the producer of its
  /// input, so that convolution, batch normalisation, activation and addition all come together.
  mutating func run() {
    for position in units.indices {
      producer[units[position].output] = position
      switch units[position].work {
      case .affine where foldsAffine: fuseAffine(position)
      case .other(.activation(let activation)): fuse(activation, position)
      case .other(.prelu): fuseSlopes(position)
      case .other(.binary(.add)): fuseAddition(position)
      default: break
      }
    }
  }

  /// The unit that gives a value which nobody else takes.
  private func onlyProducer(_ value: Int) -> Int? { uses[value] == 1 ? producer[value] : nil }

  /// Lets the unit at `position` be done by the one before it.
  private mutating func replace(_ position: Int, with before: Int) {
    units[before].output = units[position].output
    producer[units[position].output] = before
    isGone[position] = true
  }

  private mutating func fuseAffine(_ position: Int) {
    guard let before = onlyProducer(units[position].inputs[0]) else { return }
    let takes =
      units[before].work == .affine
      || units[before].work.isConvolution && units[before].epilogue.isEmpty
    guard takes else { return }
    units[before].affine += units[position].affine
    replace(position, with: before)
  }

  private mutating func fuse(_ activation: Activation, _ position: Int) {
    guard activation.isCheap, let before = onlyProducer(units[position].inputs[0]),
      units[before].work.isConvolution
    else { return }
    if units[before].epilogue.isEmpty {
      units[before].epilogue.activation = activation
    } else if units[before].epilogue.residual != nil, units[before].epilogue.finalActivation == nil
    {
      units[before].epilogue.finalActivation = activation
    } else {
      return
    }
    replace(position, with: before)
  }

  private mutating func fuseSlopes(_ position: Int) {
    guard let before = onlyProducer(units[position].inputs[0]), units[before].work.isConvolution,
      units[before].epilogue.isEmpty
    else { return }
    units[before].epilogue.slopes = units[position].parameters[0]
    replace(position, with: before)
  }

  private mutating func fuseAddition(_ position: Int) {
    let addition = units[position]
    let (a, b) = (addition.inputs[0], addition.inputs[1])
    guard a != b, program.values[a].shape == program.values[b].shape else { return }
    let candidates = [(a, b), (b, a)].compactMap { result, other -> (unit: Int, other: Int)? in
      // What comes from outside may not be written over, as adding in place would.
      guard let before = onlyProducer(result), units[before].work.isConvolution,
        units[before].epilogue.residual == nil, units[before].epilogue.slopes == nil,
        !program.inputs.contains(other)
      else { return nil }
      return (before, other)
    }
    // Of two convolutions, the later: it finds the other's result in place.
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
