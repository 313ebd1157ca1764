import AviaryGraph

extension Program {
  /// A way in which a unit can be done, in bfloat16: none, or several.
  ///
  /// In training, only what is multiplied is narrow: gradients want the values as they were.
  func narrowed(_ mode: Mode, _ unit: Unit) -> [Mode] {
    let isTraining = !seeds.isEmpty
    if unit.work.multipliesByWeights {
      // Only oneDNN's direct convolutions have bfloat16.
      guard mode.algorithm == .direct else { return [] }
      var narrow = mode
      narrow.inputNumbers = .bfloat16
      narrow.cost /= 1.9
      guard !isTraining, mayMove(unit, mode) else { return [narrow] }
      var both = narrow
      both.outputNumbers = .bfloat16
      // Half as much is written.
      both.cost -= Double(values[unit.output].count) * Mode.nanosecondsPerMove / 8
      return [both, narrow]
    }
    guard !isTraining, passesNarrow(unit), mayMove(unit, mode) else { return [] }
    var narrow = mode
    (narrow.inputNumbers, narrow.outputNumbers) = (.bfloat16, .bfloat16)
    return [narrow]
  }

  /// Whether a unit that applies no weights can take and give bfloat16: oneDNN's activations, pools
  /// and sums, and whatever only moves numbers.
  private func passesNarrow(_ unit: Unit) -> Bool {
    guard case .other(let op) = unit.work else { return false }
    switch op {
    case .activation, .prelu, .maxPool, .averagePool, .concatenate, .slice, .pad, .crop: return true
    case .add, .subtract, .multiply:
      return unit.inputs.allSatisfy { values[$0].shape == values[unit.output].shape }
    default: return false
    }
  }

  /// Whether numbers of two bytes may be moved two at a time: channels lie side by side, and none is
  /// parted from the one that it goes with.
  private func mayMove(_ unit: Unit, _ mode: Mode) -> Bool {
    let shapes = (unit.inputs + [unit.output]).map { values[$0].shape }
    guard mode.output != .planar, shapes.allSatisfy({ $0.count == 4 }) else { return false }
    var counts = shapes.map { $0[1] }
    if case .other(.slice(let start, _)) = unit.work { counts.append(start) }
    switch unit.work {
    case .convolution: return true
    case .transposedConvolution(let c):
      // What no input reaches is filled with float32.
      guard c.kernel.height >= c.stride.height, c.kernel.width >= c.stride.width,
        min(c.crops.top, c.crops.left, c.crops.bottom, c.crops.right) >= 0
      else { return false }
      counts = [values[unit.output].shape[1]]
    default: break
    }
    return counts.allSatisfy { $0.isMultiple(of: 2) }
  }
}
