import AviaryGraph

extension BatchNormalization: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.batchNormalization(fusedOp, self)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.withParameters(
      fusedOp, .by(BatchNormalizationGradient(normalization: self)),
      [gradient, fusedOp.inputs[0]] + fusedOp.extraOutputs.prefix(2),
      parameters: learned(of: fusedOp.parameters))
  }
}

/// By what batch normalisation took and, beside, by its weight and bias, as far as it has them.
/// Takes the result's gradient, what it took, and the batch's mean and variance.
struct BatchNormalizationGradient: GradientKernel {
  var normalization: BatchNormalization

  var name: String { "batchNormalization (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.batchNormalizationGradient(fusedOp, normalization)
  }
}

extension Lowering {
  /// Batch normalisation by the batch's own statistics, which move the running ones on their way.
  ///
  /// A node that shares running statistics with one before it has their new values as its inputs
  /// behind the first.
  fileprivate mutating func batchNormalization(
    _ fusedOp: FusedOp, _ normalization: BatchNormalization
  ) throws(ComputeError) {
    let descriptor = try batchNormalization(fusedOp.output, normalization)
    let (mean, variance) = (fusedOp.extraOutputs[0], fusedOp.extraOutputs[1])
    let arguments: [(Argument, Operand)] = [
      (.source, .value(fusedOp.inputs[0])), (.destination, .value(fusedOp.output)),
      (.mean, .value(mean)), (.variance, .value(variance)),
    ]
    let learned = try learned(fusedOp, normalization)
    primitive(fusedOp, "batchNormalization (training)", descriptor, arguments + learned)

    let shape = value(fusedOp.output).shape
    let channels = shape[1], count = Double(value(fusedOp.output).count / channels)
    var operands = [mean, variance, fusedOp.extraOutputs[2], fusedOp.extraOutputs[3]].map {
      Operand.value($0)
    }
    // Each of the two by itself: one of them may be shared and the other not.
    var earlier = fusedOp.inputs.dropFirst()
    for name in normalization.statistics(of: fusedOp.parameters) {
      if !earlier.isEmpty, isMoved(name, before: fusedOp) {
        operands.append(.value(earlier.removeFirst()))
      } else {
        operands.append(try parameter(name, [channels]))
      }
    }
    let momentum = normalization.momentum
    // The variance of what the batch is a sample of; of one number there is none to be known.
    let correction = count / max(count - 1, 1)
    kernel(fusedOp, "running statistics", operands) { memory, _ in
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

  /// Whether a fused op before this one gives a new value of a running statistic.
  private func isMoved(_ name: String, before fusedOp: FusedOp) -> Bool {
    ir.fusedOps.prefix { $0.output != fusedOp.output }.contains { earlier in
      guard case .other(.batchNormalization(let normalization)) = earlier.kind else { return false }
      return normalization.statistics(of: earlier.parameters).contains(name)
    }
  }

  /// The backward pass through batch normalisation, of which the batch's statistics are a part.
  fileprivate mutating func batchNormalizationGradient(
    _ fusedOp: FusedOp, _ normalization: BatchNormalization
  ) throws(ComputeError) {
    let backward = try PrimitiveDescriptor.batchNormalizationGradient(
      normalized(fusedOp.output), normalization,
      after: batchNormalization(fusedOp.output, normalization), engine.handle)
    var arguments: [(Argument, Operand)] = [
      (.destinationGradient, .value(fusedOp.inputs[0])), (.source, .value(fusedOp.inputs[1])),
      (.mean, .value(fusedOp.inputs[2])), (.variance, .value(fusedOp.inputs[3])),
      (.sourceGradient, .value(fusedOp.output)),
    ]
    // The shift has no part in any gradient, but oneDNN insists on being told.
    arguments += try learned(fusedOp, normalization)
    let sums =
      (normalization.scale ? [Argument.scaleGradient] : [])
      + (normalization.center ? [.shiftGradient] : [])
    arguments += zip(sums, fusedOp.extraOutputs).map { ($0, .value($1)) }
    primitive(fusedOp, fusedOp.kind.name, backward, arguments)
  }

  private func batchNormalization(
    _ output: Int, _ normalization: BatchNormalization
  ) throws(ComputeError) -> PrimitiveDescriptor {
    try .batchNormalization(normalized(output), normalization, engine.handle)
  }

  /// A value as an image: what follows the channels is a row of pixels.
  private func normalized(_ value: Int) throws(ComputeError) -> MemoryDescriptor {
    let shape = self.value(value).shape
    if shape.count == 4 { return try ir.descriptor(value) }
    return try MemoryDescriptor(
      [shape[0], shape[1], 1, shape.dropFirst(2).reduce(1, *)], .nchw)
  }

  private mutating func learned(
    _ fusedOp: FusedOp, _ normalization: BatchNormalization
  ) throws(ComputeError) -> [(Argument, Operand)] {
    let arguments =
      (normalization.scale ? [Argument.scale] : []) + (normalization.center ? [.shift] : [])
    var result: [(Argument, Operand)] = []
    for (argument, name) in zip(arguments, fusedOp.parameters) {
      result.append((argument, try parameter(name, [value(fusedOp.output).shape[1]])))
    }
    return result
  }
}
