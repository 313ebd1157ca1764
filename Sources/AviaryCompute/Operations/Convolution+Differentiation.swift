import AviaryGraph

extension Differentiation {
  mutating func convolution(_ unit: Unit, _ c: Convolution, _ gradient: Int) {
    let input = unit.inputs[0], size = shape(input)
    var c = c
    c.padding = .explicit(
      c.padding.amounts(
        size: Size(size[2], size[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation))
    if isWanted(input) {
      let part = step(
        unit, .gradient(.convolutionInput(c)), [gradient], size, parameters: [unit.parameters[0]])
      add(part, to: input)
    }
    let weight = [c.outChannels, size[1] / c.groups, c.kernel.height, c.kernel.width]
    let bias = unit.parameters.count > 1 ? unit.parameters[1] : nil
    if isLearned(unit.parameters[0]) {
      // oneDNN sums the bias's gradient on the way.
      let sum = bias.flatMap { isLearned($0) ? newValue([c.outChannels]) : nil }
      c.bias = sum != nil
      let part = step(
        unit, .gradient(.convolutionWeights(c)), [input, gradient], weight,
        extraOutputs: [sum].compactMap { $0 })
      add(part, toParameter: unit.parameters[0])
      if let bias, let sum { add(sum, toParameter: bias) }
    } else if let bias {
      self.bias(unit, bias, gradient)
    }
  }

  /// A transposed convolution of stride 1, which the program has as a convolution with flipped
  /// kernel.
  mutating func flippedConvolution(_ unit: Unit, _ c: Convolution, _ gradient: Int) {
    guard case .explicit(let amounts) = c.padding else {
      preconditionFailure("a flipped convolution has explicit borders")
    }
    let (height, width) = (c.kernel.height - 1, c.kernel.width - 1)
    transposedConvolution(
      unit,
      TransposedConvolution(
        outChannels: c.outChannels, kernel: c.kernel, groups: c.groups,
        padding: PaddingAmounts(
          height - amounts.top, width - amounts.left, height - amounts.bottom, width - amounts.right
        ),
        bias: c.bias), gradient)
  }

  /// A transposed convolution is the gradient of a convolution by its input: what goes back through
  /// it is that convolution, with the same weights, which lie as the convolution wants them.
  mutating func transposedConvolution(
    _ unit: Unit, _ c: TransposedConvolution, _ gradient: Int
  ) {
    let input = unit.inputs[0], channels = shape(input)[1]
    if c.bias { bias(unit, unit.parameters[1], gradient) }
    guard isWanted(input) || isLearned(unit.parameters[0]) else { return }
    // Pixels that no input reaches hold the bias alone.
    let beyond = PaddingAmounts(
      max(-c.padding.top, 0), max(-c.padding.left, 0), max(-c.padding.bottom, 0),
      max(-c.padding.right, 0))
    var reached = gradient
    if beyond != .none {
      var size = shape(gradient)
      size[2] -= beyond.total(.vertical)
      size[3] -= beyond.total(.horizontal)
      reached = step(unit, .other(.crop(Crop(beyond))), [gradient], size)
    }
    let back = Convolution(
      outChannels: channels, kernel: c.kernel, stride: c.stride, groups: c.groups,
      padding: .explicit(
        PaddingAmounts(
          max(c.padding.top, 0), max(c.padding.left, 0), max(c.padding.bottom, 0),
          max(c.padding.right, 0))), bias: false)
    if isWanted(input) {
      let part = step(
        unit, .convolution(back, flipped: false), [reached], shape(input),
        parameters: [unit.parameters[0]])
      add(part, to: input)
    }
    if isLearned(unit.parameters[0]) {
      // IOHW: the transposed convolution's input is the convolution's output.
      let part = step(
        unit, .gradient(.convolutionWeights(back)), [reached, input],
        [channels, c.outChannels / c.groups, c.kernel.height, c.kernel.width])
      add(part, toParameter: unit.parameters[0])
    }
  }

  /// The gradient by a number added to each channel.
  mutating func bias(_ unit: Unit, _ name: String, _ gradient: Int) {
    guard isLearned(name) else { return }
    let part = step(unit, .gradient(.by(ChannelSumGradient())), [gradient], [shape(gradient)[1]])
    add(part, toParameter: name)
  }
}

/// By a number that is added to each channel: the sum over pictures and pixels.
struct ChannelSumGradient: GradientKernel {
  var name: String { "sum of pixels" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] {
    [Layout.channelsLast, .blocked, .planar].map { Mode($0, .planar, cost: 0) }
  }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.channelSum(unit)
  }
}

extension Lowering {
  fileprivate mutating func channelSum(_ unit: Unit) {
    let input = value(unit.inputs[0])
    let sum = ChannelSum(input.shape, input.layout)
    kernel(unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)]) {
      memory, workers in unsafe sum.run(memory[0], to: memory[1], workers)
    }
  }
}
