import AviaryGraph

extension Lowering {
  /// The product of matrices in the last two dimensions, over all others.
  ///
  /// Operands are read in the order of dimensions that the fused op says: other strides take no copy,
  /// wherever oneDNN has code for them.
  ///
  /// - Parameter transposed: which of the operands is to be transposed before, if any.
  mutating func matmul(_ fusedOp: FusedOp, transposed: Int? = nil) throws(ComputeError) {
    let shapes = fusedOp.inputs.map { value($0).shape }
    let orders = shapes.enumerated().map { position, shape in
      var order = fusedOp.orders[position] ?? Array(shape.indices)
      if position == transposed { order.swapAt(order.count - 2, order.count - 1) }
      return order
    }
    /// The decision how to multiply, with copies of some operands.
    func product(copying copies: Set<Int>) throws(ComputeError) -> PrimitiveDescriptor {
      func matrices(_ position: Int) throws(ComputeError) -> MemoryDescriptor {
        let (shape, order) = (shapes[position], orders[position])
        return copies.contains(position)
          ? try MemoryDescriptor(order.map { shape[$0] }, .nchw)
          : try MemoryDescriptor(shape, read: order)
      }
      return try .matmul(
        matrices(0), matrices(1), to: ir.descriptor(fusedOp.output), engine.handle)
    }
    // Transposed matrices it always has code for.
    let others = Set(orders.indices.filter { !orders[$0].isTransposition })
    var copies: Set<Int> = []
    if !others.isEmpty {
      do throws(ComputeError) {
        if try product(copying: []).isReference { copies = others }
      } catch {
        copies = others
      }
    }
    var operands = fusedOp.inputs.map { Operand.value($0) }
    for position in copies.sorted() {
      let (shape, order) = (shapes[position], orders[position])
      operands[position] = temporary(
        byteCount: shape.reduce(1, *) * MemoryLayout<Float>.stride)
      try copy(
        fusedOp, .value(fusedOp.inputs[position]), MemoryDescriptor(shape, read: order),
        to: operands[position], MemoryDescriptor(order.map { shape[$0] }, .nchw))
    }
    primitive(
      fusedOp, fusedOp.kind.name, try product(copying: copies),
      [
        (.source, operands[0]), (.weights, operands[1]),
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
