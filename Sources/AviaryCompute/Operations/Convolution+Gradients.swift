import AviaryGraph

extension Lowering {
  /// The gradient by the input of a convolution.
  mutating func convolutionInputGradient(
    _ fusedOp: FusedOp, _ c: Convolution
  ) throws(ComputeError) {
    let input = value(fusedOp.output).shape
    let call = ConvolutionCall(
      fusedOp: fusedOp, input: input, output: value(fusedOp.inputs[0]).shape, c, hasBias: false)
    let offer = try call.gradientOffer(.input, engine.handle)
    let name = offer.isWinograd ? "\(fusedOp.kind.name) (winograd)" : fusedOp.kind.name
    let descriptor = offer.descriptor
    let source = WeightPacking(fusedOp, c, channels: input[1], flipped: false)
    // As the forward pass has them: oneDNN transposes them by itself.
    let weights = constant(
      source.kernel(
        rows: source.allRows, columns: source.allColumns, try descriptor.descriptor(.weights)))
    let from = try fetched(
      fusedOp, fusedOp.inputs[0], as: descriptor.descriptor(.destinationGradient))
    let gives = try ir.descriptor(fusedOp.output)
    let given = try descriptor.descriptor(.sourceGradient)
    let to =
      given == gives ? .value(fusedOp.output) : temporary(byteCount: given.byteCount)
    primitive(
      fusedOp, name, descriptor,
      [(.destinationGradient, from), (.weights, weights), (.sourceGradient, to)])
    if given != gives { try copy(fusedOp, to, given, to: .value(fusedOp.output), gives) }
  }

  /// The gradient by the weights of a convolution, and by its bias.
  mutating func convolutionWeightsGradient(
    _ fusedOp: FusedOp, _ c: Convolution
  ) throws(ComputeError) {
    let call = ConvolutionCall(
      fusedOp: fusedOp, input: value(fusedOp.inputs[0]).shape,
      output: value(fusedOp.inputs[1]).shape, c,
      hasBias: !fusedOp.extraOutputs.isEmpty)
    let offer = try call.gradientOffer(.weights, engine.handle)
    let name = offer.isWinograd ? "\(fusedOp.kind.name) (winograd)" : fusedOp.kind.name
    let descriptor = offer.descriptor
    var arguments = [
      (
        Argument.source,
        try fetched(fusedOp, fusedOp.inputs[0], as: descriptor.descriptor(.source))
      ),
      (
        .destinationGradient,
        try fetched(fusedOp, fusedOp.inputs[1], as: descriptor.descriptor(.destinationGradient))
      ),
    ]
    // Gradients leave the plan in the parameters' own shape, whatever oneDNN has them in.
    let gives = try MemoryDescriptor(call.weightShape, .nchw)
    let given = try descriptor.descriptor(.weightsGradient)
    let to =
      given == gives ? .value(fusedOp.output) : temporary(byteCount: given.byteCount)
    arguments.append((.weightsGradient, to))
    if let bias = fusedOp.extraOutputs.first { arguments.append((.biasGradient, .value(bias))) }
    primitive(fusedOp, name, descriptor, arguments)
    if given != gives { try copy(fusedOp, to, given, to: .value(fusedOp.output), gives) }
  }

  /// A value as a primitive wants it: as it lies, or a copy.
  private mutating func fetched(
    _ fusedOp: FusedOp, _ value: Int, as wanted: MemoryDescriptor
  ) throws(ComputeError) -> Operand {
    try arranged(fusedOp, .value(value), ir.descriptor(value), as: wanted)
  }
}
