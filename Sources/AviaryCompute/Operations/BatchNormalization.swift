import AviaryGraph

extension BatchNormalization: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.batchNormalization(unit, self)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.withParameters(
      unit, .by(BatchNormalizationGradient(normalization: self)),
      [gradient, unit.inputs[0]] + unit.extraOutputs.prefix(2),
      parameters: learned(of: unit.parameters))
  }
}

/// By what batch normalisation took and, beside, by its weight and bias, as far as it has them.
/// Takes the result's gradient, what it took, and the batch's mean and variance.
struct BatchNormalizationGradient: GradientKernel {
  var normalization: BatchNormalization

  var name: String { "batchNormalization (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.batchNormalizationGradient(unit, normalization)
  }
}

extension Lowering {
  /// Batch normalisation by the batch's own statistics, which move the running ones on their way.
  ///
  /// A node that shares running statistics with one before it has their new values as its inputs
  /// behind the first.
  fileprivate mutating func batchNormalization(
    _ unit: Unit, _ normalization: BatchNormalization
  ) throws(ComputeError) {
    let descriptor = try batchNormalization(unit.output, normalization)
    let (mean, variance) = (unit.extraOutputs[0], unit.extraOutputs[1])
    let arguments: [(Argument, Operand)] = [
      (.source, .value(unit.inputs[0])), (.destination, .value(unit.output)),
      (.mean, .value(mean)), (.variance, .value(variance)),
    ]
    let learned = try learned(unit, normalization)
    primitive(unit, "batchNormalization (training)", descriptor, arguments + learned)

    let shape = value(unit.output).shape
    let channels = shape[1], count = Double(value(unit.output).count / channels)
    var operands = [mean, variance, unit.extraOutputs[2], unit.extraOutputs[3]].map {
      Operand.value($0)
    }
    // Each of the two by itself: one of them may be shared and the other not.
    var earlier = unit.inputs.dropFirst()
    for name in normalization.statistics(of: unit.parameters) {
      if !earlier.isEmpty, isMoved(name, before: unit) {
        operands.append(.value(earlier.removeFirst()))
      } else {
        operands.append(try parameter(name, [channels]))
      }
    }
    let momentum = normalization.momentum
    // The variance of what the batch is a sample of; of one number there is none to be known.
    let correction = count / max(count - 1, 1)
    kernel(unit, "running statistics", operands) { memory, _ in
      for (batch, factor) in [(0, 1), (1, correction)] {
        let (old, new) = unsafe (memory[batch + 4], memory[batch + 2])
        for i in 0..<channels {
          let moved =
            unsafe (1 - momentum) * Double(old[i]) + momentum * factor * Double(memory[batch][i])
          unsafe new[i] = Float(moved)
        }
      }
    }
  }

  /// Whether a unit before this one gives a new value of a running statistic.
  private func isMoved(_ name: String, before unit: Unit) -> Bool {
    program.units.prefix { $0.output != unit.output }.contains { earlier in
      guard case .other(.batchNormalization(let normalization)) = earlier.work else { return false }
      return normalization.statistics(of: earlier.parameters).contains(name)
    }
  }

  /// The way back through batch normalisation, of which the batch's statistics are a part.
  fileprivate mutating func batchNormalizationGradient(
    _ unit: Unit, _ normalization: BatchNormalization
  ) throws(ComputeError) {
    let backward = try PrimitiveDescriptor.batchNormalizationGradient(
      normalized(unit.output), normalization,
      after: batchNormalization(unit.output, normalization), engine.handle)
    var arguments: [(Argument, Operand)] = [
      (.destinationGradient, .value(unit.inputs[0])), (.source, .value(unit.inputs[1])),
      (.mean, .value(unit.inputs[2])), (.variance, .value(unit.inputs[3])),
      (.sourceGradient, .value(unit.output)),
    ]
    // The shift has no part in any gradient, but oneDNN insists on being told.
    arguments += try learned(unit, normalization)
    let sums =
      (normalization.scale ? [Argument.scaleGradient] : [])
      + (normalization.center ? [.shiftGradient] : [])
    arguments += zip(sums, unit.extraOutputs).map { ($0, .value($1)) }
    primitive(unit, unit.work.name, backward, arguments)
  }

  private func batchNormalization(
    _ output: Int, _ normalization: BatchNormalization
  ) throws(ComputeError) -> PrimitiveDescriptor {
    try .batchNormalization(normalized(output), normalization, engine.handle)
  }

  /// A value as a picture: what follows the channels is a row of pixels.
  private func normalized(_ value: Int) throws(ComputeError) -> MemoryDescriptor {
    let shape = self.value(value).shape
    if shape.count == 4 { return try program.descriptor(value) }
    return try MemoryDescriptor(
      [shape[0], shape[1], 1, shape.dropFirst(2).reduce(1, *)], .planar)
  }

  private mutating func learned(
    _ unit: Unit, _ normalization: BatchNormalization
  ) throws(ComputeError) -> [(Argument, Operand)] {
    let arguments =
      (normalization.scale ? [Argument.scale] : []) + (normalization.center ? [.shift] : [])
    var result: [(Argument, Operand)] = []
    for (argument, name) in zip(arguments, unit.parameters) {
      result.append((argument, try parameter(name, [value(unit.output).shape[1]])))
    }
    return result
  }
}
