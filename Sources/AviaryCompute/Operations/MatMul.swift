import AviaryGraph

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
}

extension MatMul: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.matmul(unit)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.matmul(unit, gradient)
  }
}

/// By one of a matrix product's operands. Takes, in the order of the product, the result's gradient
/// in place of that operand, and the other operand.
struct MatMulGradient: GradientKernel {
  /// Whether it is the first operand's.
  var isFirst: Bool

  var name: String { "matmul (gradient of \(isFirst ? "first" : "second"))" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.matmul(unit, transposed: isFirst ? 1 : 0)
  }
}

extension Differentiation {
  fileprivate mutating func matmul(_ unit: Unit, _ gradient: Int) {
    let (a, b) = (unit.inputs[0], unit.inputs[1])
    // Outer dimensions are those of the result; where an operand repeats, its gradient is a sum.
    let outer = shape(unit.output).dropLast(2)
    if isWanted(a) {
      let whole = step(
        unit, .gradient(.by(MatMulGradient(isFirst: true))), [gradient, b],
        outer + shape(a).suffix(2))
      addSum(of: whole, unit, to: a)
    }
    if isWanted(b) {
      let whole = step(
        unit, .gradient(.by(MatMulGradient(isFirst: false))), [a, gradient],
        outer + shape(b).suffix(2))
      addSum(of: whole, unit, to: b)
    }
  }
}
