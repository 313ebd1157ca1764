import AviaryGraph

extension Lowering {
  /// The product of matrices in the last two dimensions, over all others.
  ///
  /// - Parameter transposed: which of the fused op's inputs is to be transposed before, if any.
  mutating func matmul(_ fusedOp: FusedOp, transposed: Int? = nil) throws(ComputeError) {
    func matrices(_ position: Int) throws(ComputeError) -> MemoryDescriptor {
      var shape = value(fusedOp.inputs[position]).shape
      guard position == transposed else { return try MemoryDescriptor(shape, .nchw) }
      // Transposing takes no copy: the other strides say it.
      var strides = [Int](repeating: 1, count: shape.count)
      for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
      let (row, column) = (shape.count - 2, shape.count - 1)
      shape.swapAt(row, column)
      strides.swapAt(row, column)
      return try MemoryDescriptor(shape, strides: strides)
    }
    let descriptor = try PrimitiveDescriptor.matmul(
      matrices(0), matrices(1), to: ir.descriptor(fusedOp.output), engine.handle)
    primitive(
      fusedOp, fusedOp.kind.name, descriptor,
      [
        (.source, .value(fusedOp.inputs[0])), (.weights, .value(fusedOp.inputs[1])),
        (.destination, .value(fusedOp.output)),
      ])
  }
}

extension MatMul: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.matmul(fusedOp)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.matmul(fusedOp, gradient)
  }
}

/// By one of a matrix product's operands. Takes, in the order of the product, the result's gradient
/// in place of that operand, and the other operand.
struct MatMulGradient: GradientKernel {
  /// Whether it is the first operand's.
  var isFirst: Bool

  var name: String { "matmul (gradient of \(isFirst ? "first" : "second"))" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.matmul(fusedOp, transposed: isFirst ? 1 : 0)
  }
}

extension Autodiff {
  fileprivate mutating func matmul(_ fusedOp: FusedOp, _ gradient: Int) {
    let (a, b) = (fusedOp.inputs[0], fusedOp.inputs[1])
    // Outer dimensions are those of the result; where an operand repeats, its gradient is a sum.
    let outer = shape(fusedOp.output).dropLast(2)
    if isNeeded(a) {
      let whole = step(
        fusedOp, .gradient(.by(MatMulGradient(isFirst: true))), [gradient, b],
        outer + shape(a).suffix(2))
      addSum(of: whole, fusedOp, to: a)
    }
    if isNeeded(b) {
      let whole = step(
        fusedOp, .gradient(.by(MatMulGradient(isFirst: false))), [a, gradient],
        outer + shape(b).suffix(2))
      addSum(of: whole, fusedOp, to: b)
    }
  }
}
