import AviaryGraph
import CDNNL

extension Lowering {
  /// The product of matrices in the last two dimensions, over all others.
  ///
  /// - Parameter transposed: which of the unit's inputs is to be transposed before, if any.
  mutating func matmul(_ unit: Unit, transposed: Int? = nil) throws(ComputeError) {
    func matrices(_ position: Int) throws(ComputeError) -> MemoryDescriptor {
      var shape = value(unit.inputs[position]).shape
      guard position == transposed else { return try MemoryDescriptor(shape, .planar) }
      // Transposing takes no copy: the other strides say it.
      var strides = [Int](repeating: 1, count: shape.count)
      for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
      let (row, column) = (shape.count - 2, shape.count - 1)
      shape.swapAt(row, column)
      strides.swapAt(row, column)
      return try MemoryDescriptor(shape, strides: strides)
    }
    let descriptor = try PrimitiveDescriptor.matmul(
      matrices(0), matrices(1), to: program.descriptor(unit.output), engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [
        (.source, .value(unit.inputs[0])), (.weights, .value(unit.inputs[1])),
        (.destination, .value(unit.output)),
      ])
  }

  /// exp(x) / Σ exp(x) along a dimension.
  mutating func softmax(_ unit: Unit, _ dimension: Int) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.softmax(
      program.descriptor(unit.output), dimension, engine.handle)
    primitive(
      unit, "softmax", descriptor,
      [(.source, .value(unit.inputs[0])), (.destination, .value(unit.output))])
  }

  /// Normalisation over the last dimensions, with learned weight and bias.
  mutating func layerNormalization(
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

  /// A mean, sum or maximum over some dimensions.
  mutating func reduce(_ unit: Unit, _ reduction: Reduction) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    // With the dimensions that go kept as 1, which changes nothing in memory.
    let kept = input.indices.map { reduction.dimensions.contains($0) ? 1 : input[$0] }
    let from = try program.descriptor(unit.inputs[0]), to = try MemoryDescriptor(kept, .planar)
    guard kept != input else {
      try copy(unit, .value(unit.inputs[0]), from, to: .value(unit.output), to)
      return
    }
    let algorithm =
      switch reduction.kind {
      case .mean: dnnl_reduction_mean
      case .sum: dnnl_reduction_sum
      case .maximum: dnnl_reduction_max
      }
    let descriptor = try PrimitiveDescriptor.reduction(algorithm, from, to: to, engine.handle)
    primitive(
      unit, "reduce", descriptor,
      [(.source, .value(unit.inputs[0])), (.destination, .value(unit.output))])
  }
}
