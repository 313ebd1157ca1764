import AviaryGraph

/// How convolutions can be done.
extension Program {
  func convolutionModes(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [Mode] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let taps = Double(c.kernel.height * c.kernel.width)
    let pixels = Double(output[0] * output[2] * output[3])
    func direct(depth: Int) -> Double {
      pixels * taps * Double(depth * outChannels.roundedUp(to: 16) * c.groups) / 128
    }
    var modes: [Mode] = []
    if !exact, c.kernel == 3, c.stride == 1 || c.stride == 2, c.dilation == 1, c.groups == 1,
      channels >= 16
    {
      let form = c.stride == 1 ? WinogradForm.plain : .halving
      modes += winogradModes(
        WinogradShape(form, before: 0, channels: channels, output: output, threads: 1), outChannels)
    }
    if c.groups == 1, c.stride == 1 {
      modes += planeModes(
        channels: channels, outChannels: outChannels, kernel: c.kernel, positions: pixels, input)
    }
    // Depthwise convolutions are bound by memory, equally fast in either layout.
    modes.append(Mode(.channelsLast, .channelsLast, cost: direct(depth: channels)))
    if c.groups == 1 || channels % 16 == 0 && outChannels % 16 == 0
      || channels == 1 && outChannels == 1
    {
      modes.append(Mode(.blocked, .blocked, cost: direct(depth: channels) * 1.05))
    }
    if channels < 16, c.groups == 1 {
      modes.append(Mode(.planar, .blocked, cost: direct(depth: channels) * 1.05))
    }
    return modes.stablySorted { $0.cost }
  }

  /// 36 multiplications for 16 results, or 81 for 64 pairs of pixels, in whole registers; transforms
  /// are bound by memory.
  private func winogradModes(_ shape: WinogradShape, _ outChannels: Int) -> [Mode] {
    let form = shape.form
    let products = Double(form.products * shape.depth * shape.width) / 128
    let transforms =
      form.nanosecondsOfInput * Double(shape.depth) + form.nanosecondsOfOutput * Double(shape.width)
    let cost = Double(shape.count) * (products + transforms)
    let outputs = [Layout.blocked, .channelsLast] + (outChannels <= 16 ? [.planar] : [])
    return [Layout.blocked, .channelsLast].flatMap { from in
      outputs.map { Mode(from, $0, .winograd, cost: cost) }
    }
  }

  func transposedModes(
    _ c: TransposedConvolution, _ input: [Int], _ output: [Int]
  ) -> [Mode] {
    let channels = input[1] / c.groups, outChannels = c.outChannels / c.groups
    let pixels = Double(input[0] * input[2] * input[3])
    let taps = Double(c.kernel.height * c.kernel.width)
    let direct =
      pixels * taps * Double(channels * outChannels.roundedUp(to: 16) * c.groups) / 128
    // Interleaving the phases reads and writes every output once more.
    let interleave = Double(output.reduce(1, *)) * Mode.nanosecondsPerMove
    var modes = [Mode(.channelsLast, .channelsLast, cost: direct + interleave)]
    if c.groups == 1 {
      if c.kernel == 3, c.stride == 2, channels >= 16 {
        let shape = WinogradShape(
          .doubling, before: Size(c.padding.top, c.padding.left), channels: channels,
          output: output,
          threads: 1)
        modes += winogradModes(shape, outChannels)
      }
      modes.append(Mode(.blocked, .blocked, cost: direct * 1.05 + interleave))
      if c.stride.height == c.stride.width {
        let stride = c.stride.height
        modes += planeModes(
          channels: channels, outChannels: outChannels * stride * stride,
          kernel: Size(
            (c.kernel.height + stride - 1) / stride, (c.kernel.width + stride - 1) / stride),
          positions: pixels, input)
      }
    }
    return modes.stablySorted { $0.cost }
  }

  /// Vectors of pixels, where there are too few channels for vectors of those.
  private func planeModes(
    channels: Int, outChannels: Int, kernel: Size, positions: Double, _ input: [Int]
  ) -> [Mode] {
    guard min(channels, outChannels) <= 16, max(channels, outChannels) <= 256,
      max(kernel.height, kernel.width) <= 64
    else { return [] }
    // One to three filters leave little to do with a pixel that was fetched.
    let speed: Double = outChannels > 3 ? 100 : 60
    let products = positions * Double(kernel.height * kernel.width * channels * outChannels) / speed
    let elements = Double(input.reduce(1, *))
    return [Layout.planar, .blocked, .channelsLast].map { layout in
      Mode(layout, .planar, .planes, cost: products + (layout == .planar ? 0 : 0.2 * elements))
    }
  }
}
