import AviaryThreads
import AviaryGraph

extension Lowering {
  /// A transposed convolution, as one convolution for each phase of the output, woven together.
  ///
  /// oneDNN has a primitive for it, which is ten times slower as soon as there is a bias or an
  /// activation; the phases have theirs for nothing. They write dense results, as a convolution
  /// that writes to every other pixel falls back to reference code; weaving costs a tenth.
  mutating func transposedConvolution(
    _ unit: Unit, _ c: TransposedConvolution
  ) throws(ComputeError) {
    if unit.mode.algorithm == .planes { return try planes(unit) }
    let input = value(unit.inputs[0]).shape, output = value(unit.output).shape
    let source = KernelSource(unit, c, channels: input[1])
    if unit.mode.algorithm == .winograd {
      return try winograd(
        unit, .doubling, source, rows: source.allRows, columns: source.allColumns,
        before: Size(c.padding.top, c.padding.left))
    }
    // Where the kernel is smaller than the stride, the other phases have no taps.
    func count(_ axis: Axis) -> Int { min(c.stride[axis], c.kernel[axis]) }
    guard count(.vertical) * count(.horizontal) <= Lowering.mostPhases else {
      throw .unsupported(
        node: unit.name,
        operation: "transposedConvolution of stride \(c.stride.height)x\(c.stride.width)")
    }
    let phases = Axis.allCases.map { axis in
      (0..<count(axis)).map {
        Phase(
          $0, kernel: c.kernel[axis], stride: c.stride[axis], crop: c.padding.before(axis),
          input: input[axis.dimension], output: output[axis.dimension])
      }
    }
    let reached = phases.map { $0.reduce(0) { $0 + $1.stretch.count } }
    if reached[0] < output[2] || reached[1] < output[3] { try fill(unit, source) }
    for vertical in phases[0] where vertical.stretch.count > 0 {
      for horizontal in phases[1] where horizontal.stretch.count > 0 {
        try phase(unit, source, vertical, horizontal)
      }
    }
    try finish(unit, .value(unit.output), isFused: true)
  }

  /// More phases than any network has: a stride of 16 along both axes.
  private static let mostPhases = 256

  /// Adds the convolution of one phase, and its weaving into the output.
  private mutating func phase(
    _ unit: Unit, _ source: KernelSource, _ vertical: Phase, _ horizontal: Phase
  ) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape, output = value(unit.output).shape
    let shape = [output[0], output[1], vertical.count, horizontal.count]
    let call = ConvolutionCall(
      unit: unit, input: input, output: shape,
      kernel: Size(vertical.taps.count, horizontal.taps.count), groups: source.groups,
      amounts: PaddingAmounts(vertical.before, horizontal.before, vertical.after, horizontal.after),
      hasBias: source.hasBias)
    let form = unit.mode.outputForm
    let memory = try MemoryDescriptor(shape, form.layout, form.numbers)
    let result = temporary(byteCount: memory.byteCount)
    let activation = unit.epilogue.activation
    let fused = try convolution(
      call, weights: { source.kernel(rows: vertical.taps, columns: horizontal.taps, $0) },
      bias: { source.bias($0) }, from: .value(unit.inputs[0]), to: result,
      activation.map { [.elementwise(Elementwise($0, step: form.numbers.step))] } ?? [])
    if !fused.isFused, let activation {
      try elementwise(unit, activation, result, memory)
    }
    let weave = Interleave(
      source: Grid(shape, form), destination: Grid(output, form),
      rows: vertical.stretch, columns: horizontal.stretch)
    kernel(unit, "interleave", [result, .value(unit.output)]) { memory, workers in
      unsafe weave.run(memory[0], to: memory[1], workers)
    }
  }

  /// Adds the filling of an output of which no input reaches every pixel: there the bias stands.
  private mutating func fill(_ unit: Unit, _ source: KernelSource) throws(ComputeError) {
    let shape = value(unit.output).shape
    let places = ChannelPlaces(shape, unit.mode.output)
    let activation = CheapActivation(unit.epilogue.activation)
    var operands = [Operand.value(unit.output)]
    if source.hasBias {
      operands.append(constant(source.bias(try MemoryDescriptor([source.outChannels], .planar))))
    }
    kernel(unit, "fill", operands) { memory, workers in
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
