import AviaryGraph

extension Lowering {
  /// A convolution, transposed or not, with few output channels: a 1x1 convolution to a channel for
  /// every tap, and sums over shifted pixels.
  ///
  /// - Parameters:
  ///   - rows: the rows of the kernel in the order of the taps.
  ///   - runs: what meets what, vertically and horizontally.
  mutating func expanded(
    _ unit: Unit, _ source: KernelSource, rows: [Int], columns: [Int], _ runs: [[TapRun]]
  ) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape, output = value(unit.output).shape
    guard let expansion = Expansion(filters: source.filters, kernel: source.kernel) else {
      preconditionFailure("a mode that the unit has")
    }
    var unit = unit
    (unit.mode.output, unit.mode.outputNumbers) = (unit.mode.input, .float32)
    let shape = [input[0], expansion.channels, input[2], input[3]]
    let call = ConvolutionCall(
      unit: unit, input: input, output: shape, kernel: 1, edges: .none, hasBias: false)
    // Vector loads may reach three elements beyond the last channel.
    let bytes = try MemoryDescriptor(shape, unit.mode.input).byteCount
    let taps = temporary(byteCount: bytes + 16)
    _ = try convolution(
      call, weights: { source.expanded(expansion, rows: rows, columns: columns, $0) }, bias: nil,
      from: .value(unit.inputs[0]), to: taps, [])
    let sum = TapSum(
      expansion: expansion, places: ChannelPlaces(shape, unit.mode.input), inputWidth: input[3],
      rows: runs[0], columns: runs[1], output: output,
      activation: CheapActivation(unit.epilogue.activation), isAdding: addsInPlace(unit),
      finalActivation: CheapActivation(addsInPlace(unit) ? unit.epilogue.finalActivation : nil))
    var operands = [taps, .value(unit.output)]
    if source.hasBias {
      operands.append(constant(source.bias(try MemoryDescriptor([source.filters], .planar))))
    }
    kernel(unit, "sum of taps", operands) { memory, workers in
      unsafe sum.run(
        memory[0], bias: memory.count > 2 ? memory[2] : nil, to: memory[1], workers)
    }
    try finish(unit, .value(unit.output), isFused: true)
  }
}
