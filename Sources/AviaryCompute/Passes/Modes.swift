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
    case .other(.pixelShuffle), .other(.pixelUnshuffle):
      // Every element is moved by itself anyway: from any layout to any other.
      for from in Layout.allCases {
        for to in Layout.allCases { modes.append(Mode(from, to, cost: 0)) }
      }
    case .other(.resize(let resize)): modes = resizeModes(resize, output.shape)
    case .other(.linear), .other(.matmul), .other(.softmax), .other(.layerNormalization),
      .other(.reshape), .other(.permute), .other(.roll), .other(.reduce):
      modes = [Mode(.planar, .planar, cost: 0)]
    case .other(.slice(let operation)) where operation.start % Layout.block != 0:
      // A block of channels is never cut.
      modes = [Layout.channelsLast, .planar].map { Mode($0, $0, cost: 0) }
    case .affine, .other:
      modes = [Layout.channelsLast, .blocked, .planar].map { Mode($0, $0, cost: 0) }
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

  /// Interpolation along rows goes tap by tap: over single numbers in planes, over the channels of
  /// a pixel where they lie together, which takes some to pay.
  private func resizeModes(_ resize: Resize, _ output: [Int]) -> [Mode] {
    let taps: Double =
      switch resize.kernel {
      case .nearest: 1
      case .linear: 2
      case .cubic: 4
      case .lanczos(let lobes): Double(2 * lobes)
      }
    let elements = Double(output.reduce(1, *))
    return [Layout.blocked, .channelsLast, .planar].map { layout in
      let depth = Double(Grid(output, layout).depth)
      return Mode(layout, layout, cost: elements * taps * (depth == 1 ? 0.7 : 2 / depth + 0.25))
    }
  }

  func convolutionModes(
    _ c: Convolution, _ input: [Int], _ output: [Int], exact: Bool
  ) -> [Mode] {
    let channels = input[1] / c.groups, filters = c.filters / c.groups
    let taps = Double(c.kernel.height * c.kernel.width)
    let pixels = Double(output[0] * output[2] * output[3])
    func direct(depth: Int) -> Double {
      pixels * taps * Double(depth * filters.roundedUp(to: 16) * c.groups) / 128
    }
    var modes: [Mode] = []
    if !exact, c.kernel == 3, c.stride == 1 || c.stride == 2, c.dilation == 1, c.groups == 1,
      channels >= 16
    {
      let form = c.stride == 1 ? WinogradForm.plain : .halving
      modes += winogradModes(
        WinogradShape(form, before: 0, channels: channels, output: output, threads: 1), filters)
    }
    if c.groups == 1, c.stride == 1 {
      modes += planeModes(
        channels: channels, filters: filters, kernel: c.kernel, positions: pixels, input)
    }
    // Depthwise convolutions are bound by memory, equally fast in either layout.
    modes.append(Mode(.channelsLast, .channelsLast, cost: direct(depth: channels)))
    if c.groups == 1 || channels % 16 == 0 && filters % 16 == 0 || channels == 1 && filters == 1 {
      modes.append(Mode(.blocked, .blocked, cost: direct(depth: channels) * 1.05))
    }
    if channels < 16, c.groups == 1 {
      modes.append(Mode(.planar, .blocked, cost: direct(depth: channels) * 1.05))
    }
    return modes.stablySorted { $0.cost }
  }

  /// 36 multiplications for 16 results, or 81 for 64 pairs of pixels, in whole registers; transforms
  /// are bound by memory.
  private func winogradModes(_ shape: WinogradShape, _ filters: Int) -> [Mode] {
    let form = shape.form
    let products = Double(form.products * shape.depth * shape.width) / 128
    let transforms =
      form.nanosecondsOfInput * Double(shape.depth) + form.nanosecondsOfOutput * Double(shape.width)
    let cost = Double(shape.count) * (products + transforms)
    let outputs = [Layout.blocked, .channelsLast] + (filters <= 16 ? [.planar] : [])
    return [Layout.blocked, .channelsLast].flatMap { from in
      outputs.map { Mode(from, $0, .winograd, cost: cost) }
    }
  }

  private func transposedModes(
    _ c: TransposedConvolution, _ input: [Int], _ output: [Int]
  ) -> [Mode] {
    let channels = input[1] / c.groups, filters = c.filters / c.groups
    let pixels = Double(input[0] * input[2] * input[3])
    let taps = Double(c.kernel.height * c.kernel.width)
    let direct =
      pixels * taps * Double(channels * filters.roundedUp(to: 16) * c.groups) / 128
    // Interleaving the phases reads and writes every output once more.
    let interleave = Double(output.reduce(1, *)) * Mode.nanosecondsPerMove
    var modes = [Mode(.channelsLast, .channelsLast, cost: direct + interleave)]
    if c.groups == 1 {
      if c.kernel == 3, c.stride == 2, channels >= 16 {
        let shape = WinogradShape(
          .doubling, before: Size(c.crops.top, c.crops.left), channels: channels, output: output,
          threads: 1)
        modes += winogradModes(shape, filters)
      }
      modes.append(Mode(.blocked, .blocked, cost: direct * 1.05 + interleave))
      if c.stride.height == c.stride.width {
        let stride = c.stride.height
        modes += planeModes(
          channels: channels, filters: filters * stride * stride,
          kernel: Size(
            (c.kernel.height + stride - 1) / stride, (c.kernel.width + stride - 1) / stride),
          positions: pixels, input)
      }
    }
    return modes.stablySorted { $0.cost }
  }

  /// Vectors of pixels, where there are too few channels for vectors of those.
  private func planeModes(
    channels: Int, filters: Int, kernel: Size, positions: Double, _ input: [Int]
  ) -> [Mode] {
    guard min(channels, filters) <= 16, max(channels, filters) <= 256,
      max(kernel.height, kernel.width) <= 64
    else { return [] }
    // One to three filters leave little to do with a pixel that was fetched.
    let speed: Double = filters > 3 ? 100 : 60
    let products = positions * Double(kernel.height * kernel.width * channels * filters) / speed
    let elements = Double(input.reduce(1, *))
    return [Layout.planar, .blocked, .channelsLast].map { layout in
      Mode(layout, .planar, .planes, cost: products + (layout == .planar ? 0 : 0.2 * elements))
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
