import AviaryGraph

extension LayerNormalization: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.layerNormalization(fusedOp, dimensions, epsilon: epsilon)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.withParameters(
      fusedOp, .by(LayerNormalizationGradient(normalization: self)), [gradient, fusedOp.inputs[0]])
  }
}

/// By what layer normalisation took and, beside, by its weight and bias. Takes the result's
/// gradient and what it took.
struct LayerNormalizationGradient: GradientKernel {
  var normalization: LayerNormalization

  var name: String { "layerNormalization (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.layerNormalizationGradient(
      fusedOp, normalization.dimensions, epsilon: normalization.epsilon)
  }
}

extension Lowering {
  /// Normalisation over the last dimensions, with learned weight and bias.
  fileprivate mutating func layerNormalization(
    _ fusedOp: FusedOp, _ dimensions: Int, epsilon: Double
  ) throws(ComputeError) {
    // oneDNN normalises over one dimension: those that are normalised lie together.
    let shape = value(fusedOp.output).shape
    let width = shape.suffix(dimensions).reduce(1, *)
    let rows = shape.dropLast(dimensions).reduce(1, *)
    let descriptor = try PrimitiveDescriptor.layerNormalization(
      MemoryDescriptor([rows, width], .nchw), epsilon: epsilon, .inference, engine.handle)
    var arguments: [(Argument, Operand)] = [
      (.source, .value(fusedOp.inputs[0])), (.destination, .value(fusedOp.output)),
    ]
    for (argument, name) in zip([Argument.scale, .shift], fusedOp.parameters) {
      arguments.append(
        (
          argument,
          constant(
            PackedConstant(
              key: PackedConstant.Key(parameters: [name], packing: .matrix),
              descriptor: try MemoryDescriptor([width], .nchw), shape: [width],
              parameter: name
            ) { weights throws(ComputeError) in try weights.values(name) })
        ))
    }
    primitive(fusedOp, "layerNormalization", descriptor, arguments)
  }

  /// The backward pass through layer normalisation. The statistics are calculated once more.
  fileprivate mutating func layerNormalizationGradient(
    _ fusedOp: FusedOp, _ dimensions: Int, epsilon: Double
  ) throws(ComputeError) {
    let shape = value(fusedOp.output).shape
    let width = shape.suffix(dimensions).reduce(1, *)
    let rows = shape.dropLast(dimensions).reduce(1, *)
    let plain = try MemoryDescriptor([rows, width], .nchw)
    let forward = try PrimitiveDescriptor.layerNormalization(
      plain, epsilon: epsilon, .training, engine.handle)
    let backward = try PrimitiveDescriptor.layerNormalizationGradient(
      plain, epsilon: epsilon, after: forward, engine.handle)
    let scale = try parameter(fusedOp.parameters[0], [width])
    let shift = try parameter(fusedOp.parameters[1], [width])
    let mean = temporary(byteCount: forward.byteCount(.mean))
    let variance = temporary(byteCount: forward.byteCount(.variance))
    let result = temporary(byteCount: plain.byteCount)
    primitive(
      fusedOp, "layerNormalization (once more)", forward,
      [
        (.source, .value(fusedOp.inputs[1])), (.scale, scale), (.shift, shift), (.mean, mean),
        (.variance, variance), (.destination, result),
      ])
    primitive(
      fusedOp, fusedOp.kind.name, backward,
      [
        (.destinationGradient, .value(fusedOp.inputs[0])), (.source, .value(fusedOp.inputs[1])),
        (.mean, mean), (.variance, variance), (.scale, scale), (.shift, shift),
        (.sourceGradient, .value(fusedOp.output)),
        (.scaleGradient, .value(fusedOp.extraOutputs[0])),
        (.shiftGradient, .value(fusedOp.extraOutputs[1])),
      ])
  }
}
