import AviaryGraph

extension Lowering {
  /// A convolution by planes, and those before it that are done along with it.
  mutating func planes(_ unit: Unit) throws(ComputeError) {
    let units = unit.before + [unit]
    var operands: [Operand] = [.value(unit.inputs[0]), .value(unit.output)]
    var stages: [PlaneConvolutions.Stage] = []
    var axes: [PlaneAxis] = []
    var input = value(unit.inputs[0]).shape
    // Behind the scratch memory, which comes third.
    func add(_ constant: Operand) -> Int {
      operands.append(constant)
      return operands.count
    }
    for unit in units {
      // Before its pixels are shuffled.
      var output = value(unit.output).shape
      output[1] *= unit.shuffle * unit.shuffle
      output[2] /= unit.shuffle
      output[3] /= unit.shuffle
      let source: KernelSource
      (source, axes) = planeAxes(unit, input, output)
      let phases = axes[0].taps.count * axes[1].taps.count
      let count = source.outChannels * phases
      let numbers = try MemoryDescriptor([count], .planar)
      let weights = constant(try source.packed(rows: axes[0].taps, columns: axes[1].taps))
      let bias = source.hasBias ? constant(source.bias(numbers, repeated: phases)) : nil
      let slopes = unit.epilogue.slopes.map { name in
        constant(slopeConstant(name, numbers, [count], channels: source.outChannels))
      }
      stages.append(
        PlaneConvolutions.Stage(
          channels: source.channels, outChannels: count, kernel: Size(axes[0].reach, axes[1].reach),
          dilation: Size(axes[0].dilation, axes[1].dilation), top: axes[0].before,
          left: axes[1].before, rows: axes[0].count, columns: axes[1].count,
          activation: CheapActivation(unit.epilogue.activation), weights: add(weights),
          bias: bias.map(add), slopes: slopes.map(add)))
      input = output
    }
    let adds = addsInPlace(unit)
    let convolutions = PlaneConvolutions(
      stages, input: value(unit.inputs[0]), factor: axes[0].taps.count * unit.shuffle,
      padding: (axes[0].crop, axes[1].crop), output: value(unit.output).shape, adds: adds,
      final: CheapActivation(adds ? unit.epilogue.finalActivation : nil))
    let scratch = convolutions.scratchCount(engine.workers) * MemoryLayout<Float>.stride
    operands.insert(temporary(byteCount: scratch), at: 2)
    let count = units.count > 1 ? ", \(units.count) at once" : ""
    kernel(unit, "convolution (planes\(count))", operands) { memory, workers in
      convolutions.run(memory, workers)
    }
    try finish(unit, .value(unit.output), isFused: true)
  }

  /// The weights of a unit that is done by planes, and what happens along the two axes.
  private func planeAxes(
    _ unit: Unit, _ input: [Int], _ output: [Int]
  ) -> (KernelSource, [PlaneAxis]) {
    switch unit.work {
    case .convolution(let c, let flipped):
      let amounts = c.padding.amounts(
        size: Size(input[2], input[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation)
      let axes = Axis.allCases.map { axis in
        let taps = Array(0..<c.kernel[axis])
        return PlaneAxis(
          taps: flipped ? taps.reversed() : taps, dilation: c.dilation[axis],
          before: amounts.before(axis), output: output[axis.dimension])
      }
      return (KernelSource(unit, c, channels: input[1], flipped: flipped), axes)
    case .transposedConvolution(let c):
      let axes = Axis.allCases.map { axis in
        PlaneAxis(
          kernel: c.kernel[axis], stride: c.stride[axis], crop: c.padding.before(axis),
          output: output[axis.dimension])
      }
      return (KernelSource(unit, c, channels: input[1]), axes)
    case .affine, .relayout, .gradient, .other:
      preconditionFailure("only convolutions are done by planes")
    }
  }
}
