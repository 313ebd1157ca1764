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
    case .channelSum:
      return [Layout.channelsLast, .blocked, .planar].map { Mode($0, .planar, cost: 0) }
    case .slice(let start) where start % Layout.block != 0:
      // A block of channels is never cut.
      return [Layout.channelsLast, .planar].map { Mode($0, $0, cost: 0) }
    case .layerNormalization, .maximum, .matmulFirst, .matmulSecond, .linearInput, .linearWeights,
      .softmax:
      return [Mode(.planar, .planar, cost: 0)]
    case .spread where values[unit.inputs[0]].shape.count != values[unit.output].shape.count:
      return [Mode(.planar, .planar, cost: 0)]
    case .resize, .pad:
      // Columns go tap by tap, over single numbers in planes.
      let elements = Double(values[unit.output].count)
      return [(Layout.channelsLast, 0.0), (.blocked, 0), (.planar, elements)].map {
        Mode($0, $0, cost: $1)
      }
    case .activation, .maxPool, .averagePool, .batchNormalization, .prelu, .repetition, .spread,
      .slice:
      return [Layout.channelsLast, .blocked, .planar].map { Mode($0, $0, cost: 0) }
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
      && min(channels, c.filters) >= 16
  }

  /// As the convolution itself with channels and filters changed about.
  private func inputGradientModes(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [Mode] {
    let channels = input[1] / c.groups, filters = c.filters / c.groups
    let direct = work(c, input, output, vector: channels, depth: filters)
    var modes = [Mode(.channelsLast, .channelsLast, cost: direct * 1.05)]
    if c.groups == 1 || channels % 16 == 0 && filters % 16 == 0 {
      modes.append(Mode(.blocked, .blocked, cost: direct))
    }
    if hasWinograd(c, input[1], exact: exact) {
      // Few channels leave the transforms too little to save.
      let gain = min(channels, filters) >= 32 ? 1.75 : 1.1
      modes.append(Mode(.blocked, .blocked, .winograd, cost: direct / gain))
    }
    return modes.stablySorted { $0.cost }
  }

  private func weightsGradientModes(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [Mode] {
    let channels = input[1] / c.groups, filters = c.filters / c.groups
    let direct = work(c, input, output, vector: filters, depth: channels)
    var modes = [Mode(.channelsLast, .planar, cost: direct * 1.05)]
    if c.groups == 1 || channels % 16 == 0 && filters % 16 == 0 {
      modes.append(Mode(.blocked, .planar, cost: direct))
    }
    // The first layer: pictures of a few channels fill no block, but their results do.
    if channels < 16, c.groups == 1 {
      modes.append(Mode(.planar, others: .blocked, .planar, cost: direct))
    }
    if hasWinograd(c, input[1], exact: exact), min(channels, filters) >= 32 {
      modes.append(Mode(.blocked, .planar, .winograd, cost: direct / 1.4))
    }
    return modes.stablySorted { $0.cost }
  }
}
