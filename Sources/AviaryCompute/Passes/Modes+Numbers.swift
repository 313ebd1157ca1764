import AviaryGraph

extension Program {
  /// The ways in which a unit can be done in float32, and those in other numbers; of a convolution
  /// that is quantised only those in whole numbers, so that results do not depend on what is fast.
  func inNumbers(_ modes: [Mode], of unit: Unit, _ precision: Precision) -> [Mode] {
    if let layer = unit.quantization { return wholeModes(modes, unit, layer, precision) }
    var others: [Mode] = []
    if precision == .bfloat16 { others += modes.flatMap { narrowed($0, unit) } }
    if let whole = values[unit.output].whole, passesWhole(unit) {
      others += modes.filter { mayMove(unit, $0, whole) }.map { $0.taking(whole, giving: whole) }
    }
    return others.isEmpty ? modes : (modes + others).stablySorted { $0.cost }
  }

  /// Convolutions of whole numbers lie channels last: it is the only layout that oneDNN has fast code
  /// for. A sum with another value stays wide, as its rounding would go through all that follows;
  /// so does what a PReLU takes, a step of its own.
  private func wholeModes(
    _ modes: [Mode], _ unit: Unit, _ layer: Quantization.Layer, _ precision: Precision
  ) -> [Mode] {
    guard
      let direct = modes.first(where: {
        $0.algorithm == .direct && $0.input == .channelsLast && $0.output == .channelsLast
      })
    else { preconditionFailure("every convolution can be done channels last") }
    var gives = [Numbers.float32]
    if precision == .bfloat16 { gives.insert(.bfloat16, at: 0) }
    if let whole = values[unit.output].whole, unit.epilogue.residual == nil,
      unit.epilogue.slopes == nil
    {
      gives.insert(whole, at: 0)
    }
    return gives.filter { $0 == .float32 || mayMove(unit, direct, $0) }.map {
      var mode = direct.taking(layer.numbers, giving: $0)
      mode.cost = direct.cost / 3.5 + Double(values[unit.output].count * $0.size) * 0.02
      return mode
    }
  }

  /// A way in which a unit can be done, in bfloat16: none, or several.
  ///
  /// In training, only what is multiplied is narrow: gradients want the values as they were.
  func narrowed(_ mode: Mode, _ unit: Unit) -> [Mode] {
    let isTraining = !seeds.isEmpty
    if unit.work.multipliesByWeights {
      // Only oneDNN's direct convolutions have bfloat16.
      guard mode.algorithm == .direct, !isTooNarrow(unit) else { return [] }
      var narrow = mode.taking(.bfloat16, giving: .float32)
      narrow.cost /= 1.9
      guard !isTraining, mayMove(unit, mode, .bfloat16) else { return [narrow] }
      var both = narrow
      both.outputNumbers = .bfloat16
      // Half as much is written.
      both.cost -= Double(values[unit.output].count) * Mode.nanosecondsPerMove / 8
      return [both, narrow]
    }
    guard !isTraining, passesNarrow(unit), mayMove(unit, mode, .bfloat16) else { return [] }
    return [mode.taking(.bfloat16, giving: .bfloat16)]
  }

  /// Whether a picture is narrower than a dilated kernel reaches: oneDNN 2.6 then sums what lies beside
  /// it, in bfloat16 and in whole numbers.
  private func isTooNarrow(_ unit: Unit) -> Bool {
    guard case .convolution(let c, _) = unit.work, c.dilation != 1 else { return false }
    return (c.kernel.width - 1) * c.dilation.width >= values[unit.inputs[0]].shape[3]
  }

  /// Whether a unit that applies no weights can take and give bfloat16: oneDNN's activations, pools
  /// and sums, and whatever only moves numbers.
  private func passesNarrow(_ unit: Unit) -> Bool {
    guard case .other(let op) = unit.work else { return false }
    return op.kernelOperation?.takesBfloat16(unit, self) ?? false
  }

  /// Whether narrow numbers may be moved by two or four at a time: channels lie side by side, and none
  /// is parted from those that it goes with.
  private func mayMove(_ unit: Unit, _ mode: Mode, _ numbers: Numbers) -> Bool {
    let shapes = (unit.inputs + [unit.output]).map { values[$0].shape }
    guard mode.output != .planar, shapes.allSatisfy({ $0.count == 4 }) else { return false }
    var counts = shapes.map { $0[1] }
    if case .other(.slice(let slice)) = unit.work { counts.append(slice.start) }
    switch unit.work {
    case .convolution: return true
    case .transposedConvolution(let c):
      // What no input reaches is filled with float32.
      guard c.kernel.height >= c.stride.height, c.kernel.width >= c.stride.width,
        min(c.padding.top, c.padding.left, c.padding.bottom, c.padding.right) >= 0
      else { return false }
      counts = [values[unit.output].shape[1]]
    default: break
    }
    return counts.allSatisfy { ($0 * numbers.size).isMultiple(of: Numbers.float32.size) }
  }
}

extension Mode {
  /// The same in other numbers.
  fileprivate func taking(_ input: Numbers, giving output: Numbers) -> Mode {
    var mode = self
    (mode.inputNumbers, mode.outputNumbers) = (input, output)
    return mode
  }
}
