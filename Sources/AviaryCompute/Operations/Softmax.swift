import AviaryGraph

extension Softmax: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.softmax(fusedOp, dimension)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(
      fusedOp, .gradient(.by(SoftmaxGradient(dimension: dimension))), [gradient, fusedOp.output])
  }
}

/// By what a softmax took. Takes the result's gradient and the result.
struct SoftmaxGradient: GradientKernel {
  var dimension: Int

  var name: String { "softmax (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.softmaxGradient(fusedOp, dimension)
  }
}

extension Lowering {
  /// exp(x) / Σ exp(x) along a dimension.
  fileprivate mutating func softmax(_ fusedOp: FusedOp, _ dimension: Int) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.softmax(
      ir.descriptor(fusedOp.output), dimension, engine.handle)
    primitive(
      fusedOp, "softmax", descriptor,
      [(.source, .value(fusedOp.inputs[0])), (.destination, .value(fusedOp.output))])
  }

  /// The backward pass through a softmax, by its result.
  fileprivate mutating func softmaxGradient(_ fusedOp: FusedOp, _ dimension: Int)
    throws(ComputeError)
  {
    let descriptor = try PrimitiveDescriptor.softmaxGradient(
      ir.descriptor(fusedOp.output), dimension, engine.handle)
    primitive(
      fusedOp, fusedOp.kind.name, descriptor,
      [
        (.destinationGradient, .value(fusedOp.inputs[0])),
        (.destination, .value(fusedOp.inputs[1])),
        (.sourceGradient, .value(fusedOp.output)),
      ])
  }
}
