import AviaryGraph
import CDNNL

extension Reduction: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.reduce(fusedOp, self)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let input = fusedOp.inputs[0]
    switch kind {
    case .maximum:
      pass.pass(
        fusedOp, .gradient(.by(MaximumReductionGradient(dimensions: dimensions))),
        [gradient, input, fusedOp.output])
    case .sum:
      pass.pass(
        fusedOp, .gradient(.by(ReductionGradient(dimensions: dimensions, factor: 1))), [gradient])
    case .mean:
      let count = Set(dimensions).reduce(1) { $0 * pass.shape(input)[$1] }
      pass.pass(
        fusedOp,
        .gradient(.by(ReductionGradient(dimensions: dimensions, factor: 1 / Double(count)))),
        [gradient])
    }
  }
}

/// By what a sum or a mean over these dimensions was taken of. Takes the result's gradient.
struct ReductionGradient: GradientKernel {
  var dimensions: [Int]
  var factor: Double

  var name: String { "reduce (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    ir.values[fusedOp.inputs[0]].shape.count == ir.values[fusedOp.output].shape.count
      ? KernelCandidate.anyLayout : KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.spreadGradient(fusedOp, dimensions, factor: factor)
  }
}

/// By what a maximum over these dimensions was taken of. Takes the result's gradient, what it was
/// taken of, and the result.
struct MaximumReductionGradient: GradientKernel {
  var dimensions: [Int]

  var name: String { "reduce (gradient of maximum)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.maximumGradient(fusedOp, dimensions)
  }
}

extension Lowering {
  /// What a sum or a mean gives back to the elements that it is of.
  fileprivate mutating func spreadGradient(_ fusedOp: FusedOp, _ dimensions: [Int], factor: Double)
  {
    var source = value(fusedOp.inputs[0])
    let shape = value(fusedOp.output).shape
    // With the dimensions that went kept as 1, which changes nothing in memory.
    source.shape = shape.indices.map { dimensions.contains($0) ? 1 : shape[$0] }
    let spreadGradient = SpreadGradient(source, over: shape, factor: factor)
    kernel(fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in unsafe spreadGradient.run(memory[0], to: memory[1], workers)
    }
  }

  /// What a maximum gives back to the elements that equal it.
  fileprivate mutating func maximumGradient(_ fusedOp: FusedOp, _ dimensions: [Int]) {
    let shape = value(fusedOp.output).shape
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.output)] + fusedOp.inputs.map { .value($0) },
      preparing: {
        let gradient = MaximumGradient(shape, dimensions)
        return { memory, workers in
          unsafe gradient.run(memory[1], memory[2], memory[3], to: memory[0], workers)
        }
      })
  }

  /// A mean, sum or maximum over some dimensions.
  fileprivate mutating func reduce(_ fusedOp: FusedOp, _ reduction: Reduction) throws(ComputeError)
  {
    let input = value(fusedOp.inputs[0]).shape
    // With the dimensions that go kept as 1, which changes nothing in memory.
    let kept = input.indices.map { reduction.dimensions.contains($0) ? 1 : input[$0] }
    let from = try ir.descriptor(fusedOp.inputs[0]), to = try MemoryDescriptor(kept, .nchw)
    guard kept != input else {
      try copy(fusedOp, .value(fusedOp.inputs[0]), from, to: .value(fusedOp.output), to)
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
      fusedOp, "reduce", descriptor,
      [(.source, .value(fusedOp.inputs[0])), (.destination, .value(fusedOp.output))])
  }
}
