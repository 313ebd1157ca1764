import AviaryGraph

extension Program {
  /// The ways in which a unit can be done, the best for itself first.
  ///
  /// Costs are from measurements on a Zen 5 core with AVX-512 (48 to 256 pixels a side, 16 to 256 channels):
  /// direct convolutions calculate 128 multiply-adds a nanosecond whatever their shape, if the
  /// output channels fill registers of 16.
  ///
  /// - Parameter options: whether Winograd convolutions are out of the question, and in which numbers
  ///   convolutions may calculate.
  func modes(of unit: Unit, _ options: PlanOptions) -> [Mode] {
    let exact = options.exact
    let input = values[unit.inputs[0]]
    let output = values[unit.output]
    var modes: [Mode] = []
    switch unit.work {
    case .convolution(let c, _):
      modes = convolutionModes(c, input.shape, output.shape, exact: exact)
    case .transposedConvolution(let c):
      modes = transposedModes(c, input.shape, output.shape)
    case .relayout: break
    case .gradient(let gradient): modes = gradientModes(of: unit, gradient, exact: exact)
    case .affine: modes = Mode.anyLayout
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) has another form in a program")
      }
      modes = operation.candidates(unit, self)
    }
    if unit.epilogue.slopes != nil {
      // A pass of its own, where the convolution has no place for it.
      for i in modes.indices where modes[i].algorithm == .direct {
        modes[i].cost += Double(output.count) * Mode.nanosecondsPerMove / 2
      }
      modes = modes.stablySorted { $0.cost }
    }
    modes = inNumbers(modes, of: unit, options.precision)
    if unit.work.isConvolution, !unit.epilogue.isEmpty, unit.quantization == nil {
      // Read and written once more for what is not fused.
      let passes = Double(3 * output.count) * Mode.nanosecondsPerMove
      modes += modes.filter { $0.algorithm == .direct }.map { $0.separate(adding: passes) }
    }
    return modes.filter { mode in
      (!exact || mode.algorithm.isExact)
        && unit.inputs.enumerated().allSatisfy {
          mode.form(ofInput: $0).layout.fits(values[$1].shape)
        } && mode.output.fits(output.shape)
    }
  }
}

extension Mode {
  /// The same with what is fused behind it done by itself, which may pay where a convolution adds to
  /// what lies in its destination piece by piece.
  fileprivate func separate(adding cost: Double) -> Mode {
    var mode = self
    mode.isSeparate = true
    mode.cost += cost
    return mode
  }

  /// What it costs to copy one element from one layout to another.
  static let nanosecondsPerMove = 0.3
}

extension Sequence {
  /// Sorted, elements of equal cost in the order they had.
  func stablySorted(_ cost: (Element) -> Double) -> [Element] {
    enumerated().sorted { (cost($0.element), $0.offset) < (cost($1.element), $1.offset) }
      .map(\.element)
  }
}

extension Int {
  /// The next multiple of a number.
  func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}
