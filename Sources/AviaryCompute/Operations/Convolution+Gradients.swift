import AviaryGraph

extension Lowering {
  /// The gradient by the input of a convolution.
  mutating func convolutionInputGradient(
    _ unit: Unit, _ c: Convolution
  ) throws(ComputeError) {
    let input = value(unit.output).shape
    let call = ConvolutionCall(
      unit: unit, input: input, output: value(unit.inputs[0]).shape, c, hasBias: false)
    let offer = try call.gradientOffer(.input, engine.handle)
    let name = offer.isWinograd ? "\(unit.work.name) (winograd)" : unit.work.name
    let descriptor = offer.descriptor
    let source = KernelSource(unit, c, channels: input[1], flipped: false)
    // As the way forward has them: oneDNN turns them about by itself.
    let weights = constant(
      source.kernel(
        rows: source.allRows, columns: source.allColumns, try descriptor.descriptor(.weights)))
    let from = try fetched(unit, unit.inputs[0], as: descriptor.descriptor(.destinationGradient))
    let gives = try program.descriptor(unit.output)
    let given = try descriptor.descriptor(.sourceGradient)
    let to =
      given == gives ? .value(unit.output) : temporary(byteCount: given.byteCount)
    primitive(
      unit, name, descriptor,
      [(.destinationGradient, from), (.weights, weights), (.sourceGradient, to)])
    if given != gives { try copy(unit, to, given, to: .value(unit.output), gives) }
  }

  /// The gradient by the weights of a convolution, and by its bias.
  mutating func convolutionWeightsGradient(
    _ unit: Unit, _ c: Convolution
  ) throws(ComputeError) {
    let call = ConvolutionCall(
      unit: unit, input: value(unit.inputs[0]).shape, output: value(unit.inputs[1]).shape, c,
      hasBias: !unit.extraOutputs.isEmpty)
    let offer = try call.gradientOffer(.weights, engine.handle)
    let name = offer.isWinograd ? "\(unit.work.name) (winograd)" : unit.work.name
    let descriptor = offer.descriptor
    var arguments = [
      (
        Argument.source,
        try fetched(unit, unit.inputs[0], as: descriptor.descriptor(.source))
      ),
      (
        .destinationGradient,
        try fetched(unit, unit.inputs[1], as: descriptor.descriptor(.destinationGradient))
      ),
    ]
    // Gradients leave the plan in the parameters' own shape, whatever oneDNN has them in.
    let gives = try MemoryDescriptor(call.weightShape, .planar)
    let given = try descriptor.descriptor(.weightsGradient)
    let to =
      given == gives ? .value(unit.output) : temporary(byteCount: given.byteCount)
    arguments.append((.weightsGradient, to))
    if let bias = unit.extraOutputs.first { arguments.append((.biasGradient, .value(bias))) }
    primitive(unit, name, descriptor, arguments)
    if given != gives { try copy(unit, to, given, to: .value(unit.output), gives) }
  }

  /// A value as a primitive wants it: as it lies, or a copy.
  private mutating func fetched(
    _ unit: Unit, _ value: Int, as wanted: MemoryDescriptor
  ) throws(ComputeError) -> Operand {
    let has = try program.descriptor(value)
    if wanted == has { return .value(value) }
    let place = temporary(byteCount: wanted.byteCount)
    try copy(unit, .value(value), has, to: place, wanted)
    return place
  }
}
