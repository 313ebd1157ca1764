import AviaryGraph

/// How convolutions can be done.
extension IRGraph {
  func convolutionCandidates(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [KernelCandidate] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let taps = Double(c.kernel.height * c.kernel.width)
    let pixels = Double(output[0] * output[2] * output[3])
    func direct(depth: Int) -> Double {
      pixels * taps * Double(depth * outChannels.roundedUp(to: 16) * c.groups) / 128
    }
    var candidates: [KernelCandidate] = []
    if !exact, c.kernel == 3, c.stride == 1 || c.stride == 2, c.dilation == 1, c.groups == 1,
      channels >= 16
    {
      let format = c.stride == 1 ? ConvolutionTransform.plain : .halving
      candidates += transformCandidates(
        TransformShape(format, before: 0, channels: channels, output: output, threads: 1),
        .winograd, outChannels)
    }
    // A training would transform the kernels anew in every step.
    if !exact, seeds.isEmpty, servesFFT(c), min(channels, outChannels) >= 8 {
      let shape = TransformShape(
        .fft(c.kernel), before: 0, channels: channels, output: output, threads: 1)
      if shape.weightBytes <= mostFFTBytes {
        candidates += transformCandidates(shape, .fft, outChannels)
      }
    }
    if c.groups == 1, c.stride == 1 {
      candidates += spatialCandidates(
        channels: channels, outChannels: outChannels, kernel: c.kernel, positions: pixels, input)
    }
    // Depthwise convolutions are bound by memory, equally fast in either memory format.
    candidates.append(KernelCandidate(.nhwc, .nhwc, cost: direct(depth: channels)))
    if c.groups == 1 || channels % 16 == 0 && outChannels % 16 == 0
      || channels == 1 && outChannels == 1
    {
      candidates.append(KernelCandidate(.nChw16c, .nChw16c, cost: direct(depth: channels) * 1.05))
    }
    if channels < 16, c.groups == 1 {
      candidates.append(KernelCandidate(.nchw, .nChw16c, cost: direct(depth: channels) * 1.05))
    }
    return candidates.stablySorted { $0.cost }
  }

  /// Whether a convolution is of a kind that tiles of the fast Fourier transform serve: at kernels
  /// below 5x5 Winograd's algorithm does more with less, and a kernel that fills a tile leaves few
  /// results.
  private func servesFFT(_ c: Convolution) -> Bool {
    c.stride == 1 && c.dilation == 1 && c.groups == 1 && c.kernel.height * c.kernel.width >= 25
      && max(c.kernel.height, c.kernel.width) <= 25
  }

  /// The most that spectra of one layer's kernels may take; those of 64 channels and filters would
  /// take 35 MB.
  private var mostFFTBytes: Int { 16 << 20 }

  /// Products in whole registers, of two numbers for one where they are complex; transforms are
  /// bound by memory.
  private func transformCandidates(
    _ shape: TransformShape, _ algorithm: Algorithm, _ outChannels: Int
  ) -> [KernelCandidate] {
    let format = shape.format
    let products = Double(format.products * shape.depth * shape.width) / 128
    let transforms =
      (format.nanosecondsOfInput * Double(shape.depth) + format.nanosecondsOfOutput
        * Double(shape.width)) / Double(format.parts)
    let cost = Double(shape.count) * (products + transforms)
    let outputs = [MemoryFormat.nChw16c, .nhwc] + (outChannels <= 16 ? [.nchw] : [])
    return [MemoryFormat.nChw16c, .nhwc].flatMap { from in
      outputs.map { KernelCandidate(from, $0, algorithm, cost: cost) }
    }
  }

  func transposedCandidates(
    _ c: TransposedConvolution, _ input: [Int], _ output: [Int]
  ) -> [KernelCandidate] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let pixels = Double(input[0] * input[2] * input[3])
    let taps = Double(c.kernel.height * c.kernel.width)
    let direct =
      pixels * taps * Double(channels * outChannels.roundedUp(to: 16) * c.groups) / 128
    // Interleaving the polyphase components reads and writes every output once more.
    let interleave = Double(output.reduce(1, *)) * KernelCandidate.nanosecondsPerMove
    var candidates = [KernelCandidate(.nhwc, .nhwc, cost: direct + interleave)]
    if c.groups == 1 {
      if c.kernel == 3, c.stride == 2, c.dilation == 1, channels >= 16 {
        let shape = TransformShape(
          .doubling, before: Size(c.padding.top, c.padding.left), channels: channels,
          output: output,
          threads: 1)
        candidates += transformCandidates(shape, .winograd, outChannels)
      }
      candidates.append(KernelCandidate(.nChw16c, .nChw16c, cost: direct * 1.05 + interleave))
      if c.stride.height == c.stride.width, c.dilation == 1 {
        let stride = c.stride.height
        candidates += spatialCandidates(
          channels: channels, outChannels: outChannels * stride * stride,
          kernel: Size(
            (c.kernel.height + stride - 1) / stride, (c.kernel.width + stride - 1) / stride),
          positions: pixels, input)
      }
    }
    return candidates.stablySorted { $0.cost }
  }

  /// Vectors of pixels, where there are too few channels for vectors of those.
  private func spatialCandidates(
    channels: Int, outChannels: Int, kernel: Size, positions: Double, _ input: [Int]
  ) -> [KernelCandidate] {
    guard min(channels, outChannels) <= 16, max(channels, outChannels) <= 256,
      max(kernel.height, kernel.width) <= 64
    else { return [] }
    // One to three filters leave little to do with a pixel that was fetched.
    let speed: Double = outChannels > 3 ? 100 : 60
    let products = positions * Double(kernel.height * kernel.width * channels * outChannels) / speed
    let elements = Double(input.reduce(1, *))
    return [MemoryFormat.nchw, .nChw16c, .nhwc].map { memoryFormat in
      KernelCandidate(
        memoryFormat, .nchw, .spatial, cost: products + (memoryFormat == .nchw ? 0 : 0.2 * elements)
      )
    }
  }
}
