import AviaryGraph

extension DynamicConvolution: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let call = lowering.dynamicCall(
      fusedOp, self, image: fusedOp.inputs[0], kernel: fusedOp.inputs[1], result: fusedOp.output,
      hasBias: fusedOp.inputs.count > 2)
    let offer = try call.offer([], lowering.engine.handle)
    var arguments = [
      (
        Argument.source,
        try lowering.arranged(
          fusedOp, .value(fusedOp.inputs[0]), MemoryDescriptor(call.input, .nchw),
          as: offer.descriptor.descriptor(.source))
      ),
      (
        .weights,
        try lowering.arranged(
          fusedOp, .value(fusedOp.inputs[1]), MemoryDescriptor(call.weightShape, .nchw),
          as: offer.descriptor.descriptor(.weights))
      ),
    ]
    if call.hasBias { arguments.append((.bias, .value(fusedOp.inputs[2]))) }
    try lowering.primitive(
      fusedOp, name, offer.descriptor, arguments, giving: .destination, .value(fusedOp.output),
      MemoryDescriptor(call.output, .nchw))
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let (image, kernel) = (fusedOp.inputs[0], fusedOp.inputs[1])
    if pass.isNeeded(image) {
      let part = pass.step(
        fusedOp, .gradient(.by(DynamicConvolutionImageGradient(convolution: self))),
        [gradient, kernel], pass.shape(image))
      pass.add(part, to: image)
    }
    let bias = fusedOp.inputs.count > 2 ? fusedOp.inputs[2] : nil
    guard pass.isNeeded(kernel) || bias.map({ pass.isNeeded($0) }) == true else { return }
    // oneDNN sums the bias's gradient on the way.
    let sum = bias.map { pass.newValue(pass.shape($0)) }
    let part = pass.step(
      fusedOp, .gradient(.by(DynamicConvolutionKernelGradient(convolution: self))),
      [gradient, image], pass.shape(kernel), extraOutputs: [sum].compactMap { $0 })
    pass.add(part, to: kernel)
    if let bias, let sum { pass.add(sum, to: bias) }
  }
}

/// By the image that was convolved. Takes the result's gradient and the kernel.
struct DynamicConvolutionImageGradient: GradientKernel {
  var convolution: DynamicConvolution

  var name: String { "dynamicConvolution (gradient of image)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let call = lowering.dynamicCall(
      fusedOp, convolution, image: fusedOp.output, kernel: fusedOp.inputs[1],
      result: fusedOp.inputs[0], hasBias: false)
    let offer = try call.gradientOffer(.input, lowering.engine.handle)
    let arguments = [
      (
        Argument.destinationGradient,
        try lowering.arranged(
          fusedOp, .value(fusedOp.inputs[0]), MemoryDescriptor(call.output, .nchw),
          as: offer.descriptor.descriptor(.destinationGradient))
      ),
      (
        .weights,
        try lowering.arranged(
          fusedOp, .value(fusedOp.inputs[1]), MemoryDescriptor(call.weightShape, .nchw),
          as: offer.descriptor.descriptor(.weights))
      ),
    ]
    try lowering.primitive(
      fusedOp, name, offer.descriptor, arguments, giving: .sourceGradient, .value(fusedOp.output),
      MemoryDescriptor(call.input, .nchw))
  }
}

/// By the kernel and, beside, by the bias. Takes the result's gradient and the image.
struct DynamicConvolutionKernelGradient: GradientKernel {
  var convolution: DynamicConvolution

  var name: String { "dynamicConvolution (gradient of kernel)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let call = lowering.dynamicCall(
      fusedOp, convolution, image: fusedOp.inputs[1], kernel: fusedOp.output,
      result: fusedOp.inputs[0], hasBias: !fusedOp.extraOutputs.isEmpty)
    let offer = try call.gradientOffer(.weights, lowering.engine.handle)
    var arguments = [
      (
        Argument.source,
        try lowering.arranged(
          fusedOp, .value(fusedOp.inputs[1]), MemoryDescriptor(call.input, .nchw),
          as: offer.descriptor.descriptor(.source))
      ),
      (
        .destinationGradient,
        try lowering.arranged(
          fusedOp, .value(fusedOp.inputs[0]), MemoryDescriptor(call.output, .nchw),
          as: offer.descriptor.descriptor(.destinationGradient))
      ),
    ]
    if let bias = fusedOp.extraOutputs.first { arguments.append((.biasGradient, .value(bias))) }
    try lowering.primitive(
      fusedOp, name, offer.descriptor, arguments, giving: .weightsGradient, .value(fusedOp.output),
      MemoryDescriptor(call.weightShape, .nchw))
  }
}

extension Lowering {
  /// The convolution as oneDNN is asked for it. Where every image has its own kernel, the images are
  /// groups of channels of one image, as which they lie already.
  fileprivate func dynamicCall(
    _ fusedOp: FusedOp, _ c: DynamicConvolution, image: Int, kernel: Int, result: Int, hasBias: Bool
  ) -> ConvolutionCall {
    var (input, output) = (value(image).shape, value(result).shape)
    let shape = value(kernel).shape
    var convolution = c.convolution(shape)
    if shape.count == 5 {
      convolution.groups *= input[0]
      convolution.outChannels *= input[0]
      input = [1, input[0] * input[1]] + input[2...]
      output = [1, output[0] * output[1]] + output[2...]
    }
    return ConvolutionCall(
      fusedOp: fusedOp, input: input, output: output, convolution, hasBias: hasBias)
  }

  /// What an operand holds, described so: as it lies where that is what is wanted, or a copy.
  mutating func arranged(
    _ fusedOp: FusedOp, _ operand: Operand, _ has: MemoryDescriptor, as wanted: MemoryDescriptor
  ) throws(ComputeError) -> Operand {
    if wanted == has { return operand }
    let place = temporary(byteCount: wanted.byteCount)
    try copy(fusedOp, operand, has, to: place, wanted)
    return place
  }

  /// Adds a call of oneDNN whose result is wanted as this descriptor says, which takes a copy where
  /// the primitive gives it otherwise.
  fileprivate mutating func primitive(
    _ fusedOp: FusedOp, _ operation: String, _ descriptor: consuming PrimitiveDescriptor,
    _ arguments: [(Argument, Operand)], giving result: Argument, _ output: Operand,
    _ wanted: MemoryDescriptor
  ) throws(ComputeError) {
    let given = try descriptor.descriptor(result)
    let to = given == wanted ? output : temporary(byteCount: given.byteCount)
    primitive(fusedOp, operation, descriptor, arguments + [(result, to)])
    if given != wanted { try copy(fusedOp, to, given, to: output, wanted) }
  }
}
