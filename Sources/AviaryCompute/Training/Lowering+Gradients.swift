import AviaryGraph
import CDNNL

extension Lowering {
  /// A step on the way back.
  mutating func gradient(_ unit: Unit, _ gradient: Gradient) throws(ComputeError) {
    switch gradient {
    case .convolutionInput(let c): try convolutionInputGradient(unit, c)
    case .convolutionWeights(let c): try convolutionWeightsGradient(unit, c)
    case .channelSum: channelSum(unit)
    case .activation(let activation): try activationGradient(unit, activation)
    case .maxPool(let pool): try maxPoolGradient(unit, pool)
    case .averagePool(let pool, let countsPadding):
      try averagePoolGradient(unit, pool, countsPadding: countsPadding)
    case .batchNormalization(let normalization):
      try batchNormalizationGradient(unit, normalization)
    case .layerNormalization(let dimensions, let epsilon):
      try layerNormalizationGradient(unit, dimensions, epsilon: epsilon)
    case .prelu: try preluGradient(unit)
    case .repetition: repetitionGradient(unit)
    case .spread(let dimensions, let factor): spread(unit, dimensions, factor: factor)
    case .maximum(let dimensions): maximumGradient(unit, dimensions)
    case .slice(let start): sliceGradient(unit, start: start)
    case .pad(let edges, let mode): padGradient(unit, edges, mode)
    case .resize(let resize): resizeGradient(unit, resize)
    case .matmulFirst: try matmul(unit, transposed: 1)
    case .matmulSecond: try matmul(unit, transposed: 0)
    case .linearInput: try linearInputGradient(unit)
    case .linearWeights: try linearWeightsGradient(unit)
    case .softmax(let dimension): try softmaxGradient(unit, dimension)
    }
  }

  private mutating func convolutionInputGradient(
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

  private mutating func convolutionWeightsGradient(
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

  private mutating func channelSum(_ unit: Unit) {
    let input = value(unit.inputs[0])
    let sum = ChannelSum(input.shape, input.layout)
    kernel(unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)]) {
      memory, workers in unsafe sum.run(memory[0], to: memory[1], workers)
    }
  }

  private mutating func activationGradient(
    _ unit: Unit, _ activation: Activation
  ) throws(ComputeError) {
    let function = Elementwise(activation)
    // oneDNN has other names for gradients calculated of the result.
    let algorithm =
      switch (activation, activation.gradientSource) {
      case (.relu, .output), (.leakyRelu, .output): dnnl_eltwise_relu_use_dst_for_bwd
      case (.elu, .output): dnnl_eltwise_elu_use_dst_for_bwd
      case (.sigmoid, .output): dnnl_eltwise_logistic_use_dst_for_bwd
      case (.tanh, .output): dnnl_eltwise_tanh_use_dst_for_bwd
      // The second version lets nothing through at either bound, as PyTorch does.
      case (.clamp, .output): dnnl_eltwise_clip_v2_use_dst_for_bwd
      default: function.algorithm
      }
    let descriptor = try PrimitiveDescriptor.elementwiseGradient(
      algorithm, function, program.descriptor(unit.inputs[0]), program.descriptor(unit.inputs[1]),
      engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [
        (activation.gradientSource == .output ? .destination : .source, .value(unit.inputs[1])),
        (.destinationGradient, .value(unit.inputs[0])),
        (.sourceGradient, .value(unit.output)),
      ])
  }
}
