import AviaryGraph

extension Program {
  /// The ways in which a step on the way back can be done, the best for itself first.
  func gradientModes(of unit: Unit, _ gradient: Gradient, exact: Bool) -> [Mode] {
    switch gradient {
    case .convolutionInput(let c):
      return inputGradientModes(
        c, values[unit.output].shape, values[unit.inputs[0]].shape, exact: exact)
    case .convolutionWeights(let c):
      return weightsGradientModes(
        c, values[unit.inputs[0]].shape, values[unit.inputs[1]].shape, exact: exact)
    case .other(let any): return any.kernel.candidates(unit, self)
    }
  }

  private func work(
    _ c: Convolution, _ input: [Int], _ output: [Int], vector: Int, depth: Int
  ) -> Double {
    let taps = Double(c.kernel.height * c.kernel.width)
    let pixels = Double(output[0] * output[2] * output[3])
    return pixels * taps * Double(depth * vector.roundedUp(to: 16) * c.groups) / 128
  }

  private func hasWinograd(_ c: Convolution, _ channels: Int, exact: Bool) -> Bool {
    !exact && c.kernel == 3 && c.stride == 1 && c.dilation == 1 && c.groups == 1
      && min(channels, c.outChannels) >= 16
  }

  /// As the convolution itself with channels and filters changed about.
  private func inputGradientModes(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [Mode] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let direct = work(c, input, output, vector: channels, depth: outChannels)
    var modes = [Mode(.channelsLast, .channelsLast, cost: direct * 1.05)]
    if c.groups == 1 || channels % 16 == 0 && outChannels % 16 == 0 {
      modes.append(Mode(.blocked, .blocked, cost: direct))
    }
    if hasWinograd(c, input[1], exact: exact) {
      // Few channels leave the transforms too little to save.
      let gain = min(channels, outChannels) >= 32 ? 1.75 : 1.1
      modes.append(Mode(.blocked, .blocked, .winograd, cost: direct / gain))
    }
    return modes.stablySorted { $0.cost }
  }

  private func weightsGradientModes(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [Mode] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let direct = work(c, input, output, vector: outChannels, depth: channels)
    var modes = [Mode(.channelsLast, .planar, cost: direct * 1.05)]
    if c.groups == 1 || channels % 16 == 0 && outChannels % 16 == 0 {
      modes.append(Mode(.blocked, .planar, cost: direct))
    }
    // The first layer: pictures of a few channels fill no block, but their results do.
    if channels < 16, c.groups == 1 {
      modes.append(Mode(.planar, others: .blocked, .planar, cost: direct))
    }
    if hasWinograd(c, input[1], exact: exact), min(channels, outChannels) >= 32 {
      modes.append(Mode(.blocked, .planar, .winograd, cost: direct / 1.4))
    }
    return modes.stablySorted { $0.cost }
  }
}
