import AviaryGraph

extension IRGraph {
  /// The kernel candidates by which a step of the backward pass can be done, the best for itself
  /// first.
  func gradientCandidates(of fusedOp: FusedOp, _ gradient: Gradient, exact: Bool)
    -> [KernelCandidate]
  {
    switch gradient {
    case .convolutionInput(let c):
      return inputGradientCandidates(
        c, values[fusedOp.output].shape, values[fusedOp.inputs[0]].shape, exact: exact)
    case .convolutionWeights(let c):
      return weightsGradientCandidates(
        c, values[fusedOp.inputs[0]].shape, values[fusedOp.inputs[1]].shape, exact: exact)
    case .other(let any): return any.kernel.candidates(fusedOp, self)
    }
  }

  private func kind(
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
  private func inputGradientCandidates(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [KernelCandidate] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let direct = kind(c, input, output, vector: channels, depth: outChannels)
    var candidates = [KernelCandidate(.nhwc, .nhwc, cost: direct * 1.05)]
    if c.groups == 1 || channels % 16 == 0 && outChannels % 16 == 0 {
      candidates.append(KernelCandidate(.nChw16c, .nChw16c, cost: direct))
    }
    if hasWinograd(c, input[1], exact: exact) {
      // Few channels leave the transforms too little to save.
      let gain = min(channels, outChannels) >= 32 ? 1.75 : 1.1
      candidates.append(KernelCandidate(.nChw16c, .nChw16c, .winograd, cost: direct / gain))
    }
    return candidates.stablySorted { $0.cost }
  }

  private func weightsGradientCandidates(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [KernelCandidate] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let direct = kind(c, input, output, vector: outChannels, depth: channels)
    var candidates = [KernelCandidate(.nhwc, .nchw, cost: direct * 1.05)]
    if c.groups == 1 || channels % 16 == 0 && outChannels % 16 == 0 {
      candidates.append(KernelCandidate(.nChw16c, .nchw, cost: direct))
    }
    // The first layer: images of a few channels fill no block, but their results do.
    if channels < 16, c.groups == 1 {
      candidates.append(KernelCandidate(.nchw, others: .nChw16c, .nchw, cost: direct))
    }
    if hasWinograd(c, input[1], exact: exact), min(channels, outChannels) >= 32 {
      candidates.append(KernelCandidate(.nChw16c, .nchw, .winograd, cost: direct / 1.4))
    }
    return candidates.stablySorted { $0.cost }
  }
}
