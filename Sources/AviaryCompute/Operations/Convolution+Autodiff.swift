import AviaryGraph

extension Autodiff {
  mutating func convolution(_ fusedOp: FusedOp, _ c: Convolution, _ gradient: Int) {
    let input = fusedOp.inputs[0], size = shape(input)
    var c = c
    c.padding = .explicit(
      c.padding.amounts(
        size: Size(size[2], size[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation))
    if isNeeded(input) {
      let part = step(
        fusedOp, .gradient(.convolutionInput(c)), [gradient], size,
        parameters: [fusedOp.parameters[0]])
      add(part, to: input)
    }
    let weight = [c.outChannels, size[1] / c.groups, c.kernel.height, c.kernel.width]
    let bias = fusedOp.parameters.count > 1 ? fusedOp.parameters[1] : nil
    if isLearned(fusedOp.parameters[0]) {
      // oneDNN sums the bias's gradient on the way.
      let sum = bias.flatMap { isLearned($0) ? newValue([c.outChannels]) : nil }
      c.bias = sum != nil
      let part = step(
        fusedOp, .gradient(.convolutionWeights(c)), [input, gradient], weight,
        extraOutputs: [sum].compactMap { $0 })
      add(part, toParameter: fusedOp.parameters[0])
      if let bias, let sum { add(sum, toParameter: bias) }
    } else if let bias {
      self.bias(fusedOp, bias, gradient)
    }
  }

  /// A transposed convolution of stride 1, which the IR graph has as a convolution with flipped
  /// kernel.
  mutating func flippedConvolution(_ fusedOp: FusedOp, _ c: Convolution, _ gradient: Int) {
    guard case .explicit(let amounts) = c.padding else {
      preconditionFailure("a flipped convolution has explicit padding")
    }
    let height = (c.kernel.height - 1) * c.dilation.height
    let width = (c.kernel.width - 1) * c.dilation.width
    transposedConvolution(
      fusedOp,
      TransposedConvolution(
        outChannels: c.outChannels, kernel: c.kernel, dilation: c.dilation, groups: c.groups,
        padding: PaddingAmounts(
          height - amounts.top, width - amounts.left, height - amounts.bottom, width - amounts.right
        ),
        bias: c.bias), gradient)
  }

  /// A transposed convolution is the gradient of a convolution by its input: what goes back through
  /// it is that convolution, with the same weights, which lie as the convolution wants them.
  mutating func transposedConvolution(
    _ fusedOp: FusedOp, _ c: TransposedConvolution, _ gradient: Int
  ) {
    let input = fusedOp.inputs[0], channels = shape(input)[1]
    if c.bias { bias(fusedOp, fusedOp.parameters[1], gradient) }
    guard isNeeded(input) || isLearned(fusedOp.parameters[0]) else { return }
    // Pixels that no input reaches hold the bias alone.
    let beyond = PaddingAmounts(
      max(-c.padding.top, 0), max(-c.padding.left, 0), max(-c.padding.bottom, 0),
      max(-c.padding.right, 0))
    var reached = gradient
    if beyond != .none {
      var size = shape(gradient)
      size[2] -= beyond.total(.vertical)
      size[3] -= beyond.total(.horizontal)
      reached = step(fusedOp, .other(.crop(Crop(beyond))), [gradient], size)
    }
    let back = Convolution(
      outChannels: channels, kernel: c.kernel, stride: c.stride, dilation: c.dilation,
      groups: c.groups,
      padding: .explicit(
        PaddingAmounts(
          max(c.padding.top, 0), max(c.padding.left, 0), max(c.padding.bottom, 0),
          max(c.padding.right, 0))), bias: false)
    if isNeeded(input) {
      let part = step(
        fusedOp, .convolution(back, flipped: false), [reached], shape(input),
        parameters: [fusedOp.parameters[0]])
      add(part, to: input)
    }
    if isLearned(fusedOp.parameters[0]) {
      // IOHW: the transposed convolution's input is the convolution's output.
      let part = step(
        fusedOp, .gradient(.convolutionWeights(back)), [reached, input],
        [channels, c.outChannels / c.groups, c.kernel.height, c.kernel.width])
      add(part, toParameter: fusedOp.parameters[0])
    }
  }

  /// The gradient by a number added to each channel.
  mutating func bias(_ fusedOp: FusedOp, _ name: String, _ gradient: Int) {
    guard isLearned(name) else { return }
    let part = step(fusedOp, .gradient(.by(ChannelSumGradient())), [gradient], [shape(gradient)[1]])
    add(part, toParameter: name)
  }
}

/// By a number that is added to each channel: the sum over images and pixels.
struct ChannelSumGradient: GradientKernel {
  var name: String { "sum of pixels" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    [MemoryFormat.nhwc, .nChw16c, .nchw].map { KernelCandidate($0, .nchw, cost: 0) }
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.channelSum(fusedOp)
  }
}

extension Lowering {
  fileprivate mutating func channelSum(_ fusedOp: FusedOp) {
    let input = value(fusedOp.inputs[0])
    let sum = ChannelSum(input.shape, input.memoryFormat)
    kernel(fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in unsafe sum.run(memory[0], to: memory[1], workers)
    }
  }
}
