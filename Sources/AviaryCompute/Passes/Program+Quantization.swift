import AviaryGraph

extension Program {
  /// Notes which convolutions multiply whole numbers, and which values are wanted so.
  ///
  /// - Throws: `ComputeError.quantization` for steps that are not for the convolution of the name.
  mutating func quantize(_ quantization: Quantization) throws(ComputeError) {
    for output in outputs { values[output.value].want(nil) }
    // From the last: who takes a unit's result has said how before the unit is asked.
    for position in units.indices.reversed() {
      let unit = units[position]
      var numbers: Numbers?
      if let outChannels = unit.work.outChannels, let layer = quantization.layers[unit.name] {
        guard layer.weightSteps.count == outChannels else {
          throw .quantization(
            node: unit.name, outChannels: outChannels, found: layer.weightSteps.count)
        }
        let layer = layer.fitting(sumsInWords: !Engine.sumsProductsWhole)
        units[position].quantization = layer
        numbers = layer.numbers
      } else if passesWhole(unit) {
        numbers = values[unit.output].whole
      }
      for input in unit.inputs { values[input].want(numbers) }
      if let residual = unit.epilogue.residual { values[residual].want(nil) }
    }
  }

  /// Whether a unit's result may be of whole numbers if its inputs are.
  func passesWhole(_ unit: Unit) -> Bool {
    guard case .other(let op) = unit.work else { return false }
    return op.kernelOperation?.takesIntegers ?? false
  }
}

extension Work {
  /// The output channels of a convolution, transposed or not, that can multiply whole numbers; nil for
  /// anything else. Dilated ones cannot: oneDNN 2.6 sums what lies beside a picture narrower than the
  /// kernel's reach.
  var outChannels: Int? {
    switch self {
    case .convolution(let c, _): c.dilation == 1 ? c.outChannels : nil
    case .transposedConvolution(let c): c.outChannels
    case .affine, .relayout, .gradient, .other: nil
    }
  }
}

extension Program.Value {
  /// Notes that a taker wants the value in whole numbers, or, for nil, as it is. Where two want it
  /// differently it stays as it is: a sum must not lose what one convolution can do without.
  fileprivate mutating func want(_ numbers: Numbers?) {
    if numbers == nil || whole != nil && whole != numbers { isWantedWide = true }
    whole = isWantedWide ? nil : numbers
  }
}
