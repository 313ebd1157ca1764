import AviaryThreads
import AviaryGraph

extension Lowering {
  /// A transposed convolution, as one convolution for each phase of the output, woven together.
  ///
  /// oneDNN has a primitive for it, which is ten times slower as soon as there is a bias or an
  /// activation; the polyphase components have theirs for nothing. They write dense results, as a
  /// convolution that writes to every other pixel falls back to reference code; weaving costs a
  /// tenth.
  mutating func transposedConvolution(
    _ fusedOp: FusedOp, _ c: TransposedConvolution
  ) throws(ComputeError) {
    if fusedOp.candidate.algorithm == .spatial { return try planes(fusedOp) }
    let input = value(fusedOp.inputs[0]).shape, output = value(fusedOp.output).shape
    let source = WeightPacking(fusedOp, c, channels: input[1])
    if fusedOp.candidate.algorithm == .winograd {
      return try transformed(
        fusedOp, .doubling, source, rows: source.allRows, columns: source.allColumns,
        before: Size(c.padding.top, c.padding.left))
    }
    func count(_ axis: Axis) -> Int {
      PolyphaseComponent.count(
        kernel: c.kernel[axis], stride: c.stride[axis], dilation: c.dilation[axis])
    }
    guard count(.vertical) * count(.horizontal) <= Lowering.mostPhases else {
      throw .unsupported(
        node: fusedOp.name,
        operation: "transposedConvolution of stride \(c.stride.height)x\(c.stride.width)")
    }
    let phases = Axis.allCases.map { axis in
      (0..<count(axis)).map {
        PolyphaseComponent(
          $0, kernel: c.kernel[axis], stride: c.stride[axis], dilation: c.dilation[axis],
          crop: c.padding.before(axis), input: input[axis.dimension],
          output: output[axis.dimension])
      }
    }
    let reached = phases.map { $0.reduce(0) { $0 + $1.stretch.count } }
    if reached[0] < output[2] || reached[1] < output[3] { try fill(fusedOp, source) }
    for vertical in phases[0] where vertical.stretch.count > 0 {
      for horizontal in phases[1] where horizontal.stretch.count > 0 {
        try phase(fusedOp, source, vertical, horizontal)
      }
    }
    try finish(fusedOp, .value(fusedOp.output), isFused: true)
  }

  /// More polyphase components than any network has: a stride of 16 along both axes.
  private static let mostPhases = 256

  /// Adds the convolution of one phase, and its weaving into the output.
  private mutating func phase(
    _ fusedOp: FusedOp, _ source: WeightPacking, _ vertical: PolyphaseComponent,
    _ horizontal: PolyphaseComponent
  ) throws(ComputeError) {
    let input = value(fusedOp.inputs[0]).shape, output = value(fusedOp.output).shape
    let shape = [output[0], output[1], vertical.count, horizontal.count]
    let call = ConvolutionCall(
      fusedOp: fusedOp, input: input, output: shape,
      kernel: Size(vertical.taps.count, horizontal.taps.count),
      dilation: Size(vertical.dilation, horizontal.dilation), groups: source.groups,
      amounts: PaddingAmounts(vertical.before, horizontal.before, vertical.after, horizontal.after),
      hasBias: source.hasBias)
    let format = fusedOp.candidate.outputFormat
    let memory = try MemoryDescriptor(shape, format.memoryFormat, format.dataType)
    let result = temporary(byteCount: memory.byteCount)
    let activation = fusedOp.epilogue.activation
    let fused = try convolution(
      call, weights: { source.kernel(rows: vertical.taps, columns: horizontal.taps, $0) },
      bias: { source.bias($0) }, from: .value(fusedOp.inputs[0]), to: result,
      activation.map { [.elementwise(Elementwise(fused: $0, scale: format.dataType.scale))] } ?? [])
    if !fused.isFused, let activation {
      try elementwise(fusedOp, activation, result, memory)
    }
    let weave = Interleave(
      source: Grid(shape, format), destination: Grid(output, format),
      rows: vertical.stretch, columns: horizontal.stretch)
    kernel(fusedOp, "interleave", [result, .value(fusedOp.output)]) { memory, workers in
      unsafe weave.run(memory[0], to: memory[1], workers)
    }
  }

  /// Adds the filling of an output of which no input reaches every pixel: there the bias stands.
  private mutating func fill(_ fusedOp: FusedOp, _ source: WeightPacking) throws(ComputeError) {
    let shape = value(fusedOp.output).shape
    let places = ChannelPlaces(shape, fusedOp.candidate.output)
    let activation = CheapActivation(fusedOp.epilogue.activation)
    var operands = [Operand.value(fusedOp.output)]
    if source.hasBias {
      operands.append(constant(source.bias(try MemoryDescriptor([source.outChannels], .nchw))))
    }
    kernel(fusedOp, "fill", operands) { memory, workers in
      workers.split(shape[0] * shape[1], cost: shape[2] * shape[3]) { range in
        for plane in range {
          let (picture, channel) = (plane / shape[1], plane % shape[1])
          let value = unsafe activation(memory.count > 1 ? memory[1][channel] : 0)
          let first = unsafe memory[0] + picture * places.picture + places.offsets[channel]
          for pixel in 0..<shape[2] * shape[3] { unsafe first[pixel * places.step] = value }
        }
      }
    }
  }
}
