import AviaryGraph

extension LayerNormalization: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.layerNormalization(unit, dimensions, epsilon: epsilon)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.withParameters(
      unit, .by(LayerNormalizationGradient(normalization: self)), [gradient, unit.inputs[0]])
  }
}

/// By what layer normalisation took and, beside, by its weight and bias. Takes the result's
/// gradient and what it took.
struct LayerNormalizationGradient: GradientKernel {
  var normalization: LayerNormalization

  var name: String { "layerNormalization (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.layerNormalizationGradient(
      unit, normalization.dimensions, epsilon: normalization.epsilon)
  }
}

extension Lowering {
  /// Normalisation over the last dimensions, with learned weight and bias.
  fileprivate mutating func layerNormalization(
    _ unit: Unit, _ dimensions: Int, epsilon: Double
  ) throws(ComputeError) {
    // oneDNN normalises over one dimension: those that are normalised lie together.
    let shape = value(unit.output).shape
    let width = shape.suffix(dimensions).reduce(1, *)
    let rows = shape.dropLast(dimensions).reduce(1, *)
    let descriptor = try PrimitiveDescriptor.layerNormalization(
      MemoryDescriptor([rows, width], .planar), epsilon: epsilon, .inference, engine.handle)
    var arguments: [(Argument, Operand)] = [
      (.source, .value(unit.inputs[0])), (.destination, .value(unit.output)),
    ]
    for (argument, name) in zip([Argument.scale, .shift], unit.parameters) {
      arguments.append(
        (
          argument,
          constant(
            Constant(
              key: Constant.Key(parameters: [name], form: .matrix),
              descriptor: try MemoryDescriptor([width], .planar), shape: [width],
              parameter: name
            ) { weights throws(ComputeError) in try weights.values(name) })
        ))
    }
    primitive(unit, "layerNormalization", descriptor, arguments)
  }

  /// The way back through layer normalisation. The statistics are calculated once more.
  fileprivate mutating func layerNormalizationGradient(
    _ unit: Unit, _ dimensions: Int, epsilon: Double
  ) throws(ComputeError) {
    let shape = value(unit.output).shape
    let width = shape.suffix(dimensions).reduce(1, *)
    let rows = shape.dropLast(dimensions).reduce(1, *)
    let plain = try MemoryDescriptor([rows, width], .planar)
    let forward = try PrimitiveDescriptor.layerNormalization(
      plain, epsilon: epsilon, .training, engine.handle)
    let backward = try PrimitiveDescriptor.layerNormalizationGradient(
      plain, epsilon: epsilon, after: forward, engine.handle)
    let scale = try parameter(unit.parameters[0], [width])
    let shift = try parameter(unit.parameters[1], [width])
    let mean = temporary(byteCount: forward.byteCount(.mean))
    let variance = temporary(byteCount: forward.byteCount(.variance))
    let result = temporary(byteCount: plain.byteCount)
    primitive(
      unit, "layerNormalization (once more)", forward,
      [
        (.source, .value(unit.inputs[1])), (.scale, scale), (.shift, shift), (.mean, mean),
        (.variance, variance), (.destination, result),
      ])
    primitive(
      unit, unit.work.name, backward,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.source, .value(unit.inputs[1])),
        (.mean, mean), (.variance, variance), (.scale, scale), (.shift, shift),
        (.sourceGradient, .value(unit.output)), (.scaleGradient, .value(unit.extraOutputs[0])),
        (.shiftGradient, .value(unit.extraOutputs[1])),
      ])
  }
}
