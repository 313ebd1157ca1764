import AviaryGraph

extension Lowering {
  /// A convolution vectorised over pixels, and those before it that are done along with it.
  mutating func planes(_ fusedOp: FusedOp) throws(ComputeError) {
    let fusedOps = fusedOp.before + [fusedOp]
    var operands: [Operand] = [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    var stages: [SpatialConvolutions.Stage] = []
    var axes: [PlaneAxis] = []
    var input = value(fusedOp.inputs[0]).shape
    // Behind the scratch memory, which comes third.
    func add(_ constant: Operand) -> Int {
      operands.append(constant)
      return operands.count
    }
    for fusedOp in fusedOps {
      // Before its pixels are shuffled.
      var output = value(fusedOp.output).shape
      output[1] *= fusedOp.shuffle * fusedOp.shuffle
      output[2] /= fusedOp.shuffle
      output[3] /= fusedOp.shuffle
      let source: WeightPacking
      (source, axes) = planeAxes(fusedOp, input, output)
      let phases = axes[0].taps.count * axes[1].taps.count
      let count = source.outChannels * phases
      let vector = try MemoryDescriptor([count], .nchw)
      let weights = constant(try source.packed(rows: axes[0].taps, columns: axes[1].taps))
      let bias = source.hasBias ? constant(source.bias(vector, repeated: phases)) : nil
      let slopes = fusedOp.epilogue.slopes.map { name in
        constant(slopeConstant(name, vector, [count], channels: source.outChannels))
      }
      stages.append(
        SpatialConvolutions.Stage(
          channels: source.channels, outChannels: count, kernel: Size(axes[0].reach, axes[1].reach),
          dilation: Size(axes[0].dilation, axes[1].dilation), top: axes[0].before,
          left: axes[1].before, rows: axes[0].count, columns: axes[1].count,
          activation: CheapActivation(fusedOp.epilogue.activation), weights: add(weights),
          bias: bias.map(add), slopes: slopes.map(add)))
      input = output
    }
    let adds = addsInPlace(fusedOp)
    let convolutions = SpatialConvolutions(
      stages, input: value(fusedOp.inputs[0]), factor: axes[0].taps.count * fusedOp.shuffle,
      padding: (axes[0].crop, axes[1].crop), output: value(fusedOp.output).shape, adds: adds,
      final: CheapActivation(adds ? fusedOp.epilogue.finalActivation : nil))
    let scratch = convolutions.scratchCount(engine.workers) * MemoryLayout<Float>.stride
    operands.insert(temporary(byteCount: scratch), at: 2)
    let count = fusedOps.count > 1 ? ", \(fusedOps.count) at once" : ""
    kernel(fusedOp, "convolution (spatially vectorised\(count))", operands) { memory, workers in
      convolutions.run(memory, workers)
    }
    try finish(fusedOp, .value(fusedOp.output), isFused: true)
  }

  /// The weights of a fused op that is done vectorised over pixels, and what happens along the two
  /// axes.
  private func planeAxes(
    _ fusedOp: FusedOp, _ input: [Int], _ output: [Int]
  ) -> (WeightPacking, [PlaneAxis]) {
    switch fusedOp.kind {
    case .convolution(let c, let flipped):
      let amounts = c.padding.amounts(
        size: Size(input[2], input[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation)
      let axes = Axis.allCases.map { axis in
        let taps = Array(0..<c.kernel[axis])
        return PlaneAxis(
          taps: flipped ? taps.reversed() : taps, dilation: c.dilation[axis],
          before: amounts.before(axis), output: output[axis.dimension])
      }
      return (WeightPacking(fusedOp, c, channels: input[1], flipped: flipped), axes)
    case .transposedConvolution(let c):
      let axes = Axis.allCases.map { axis in
        PlaneAxis(
          kernel: c.kernel[axis], stride: c.stride[axis], crop: c.padding.before(axis),
          output: output[axis.dimension])
      }
      return (WeightPacking(fusedOp, c, channels: input[1]), axes)
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other:
      preconditionFailure("only convolutions are vectorised over pixels")
    }
  }
}

/// What a convolution vectorised over pixels does along one axis: of stride 1, and for each of its
/// positions so many pixels of the result as there are lists of taps.
struct PlaneAxis: Hashable {
  /// For each of a square's pixels, which of the kernel's rows or columns it meets, in the order of
  /// the input; -1 for none.
  let taps: [[Int]]
  let dilation: Int
  /// How far before the input the first tap of the first position lies; may be negative.
  let before: Int
  /// How many positions there are.
  let count: Int
  /// How many of the first square's pixels lie outside of the result.
  let crop: Int

  /// A convolution of stride 1.
  ///
  /// - Parameters:
  ///   - taps: the kernel's rows or columns in the order in which they meet the input.
  ///   - output: how many pixels the result has.
  init(taps: [Int], dilation: Int, before: Int, output: Int) {
    self.taps = [taps]
    (self.dilation, self.before, count, crop) = (dilation, before, output, 0)
  }

  /// A transposed convolution, in which pixel q · stride + phase - crop of the result is the sum of
  /// taps phase + m · stride times pixel q - m of the input.
  init(kernel: Int, stride: Int, crop: Int, output: Int) {
    let reach = (kernel + stride - 1) / stride
    taps = (0..<stride).map { phase in
      (0..<reach).reversed().map { m in
        phase + m * stride < kernel ? phase + m * stride : -1
      }
    }
    let first = crop.dividedRoundingDown(by: stride)
    dilation = 1
    before = reach - 1 - first
    count = (output - 1 + crop).dividedRoundingDown(by: stride) - first + 1
    self.crop = crop - first * stride
  }

  /// Of how many taps the kernel consists that is calculated.
  var reach: Int { taps[0].count }
}
