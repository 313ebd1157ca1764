import AviaryGraph

extension Lowering {
  /// The dimensions in another order: a copy from memory that is described in the order of the
  /// result.
  mutating func permute(_ unit: Unit, _ order: [Int]) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    var strides = [Int](repeating: 1, count: input.count)
    for i in input.indices.dropLast().reversed() { strides[i] = strides[i + 1] * input[i + 1] }
    let from = try MemoryDescriptor(
      value(unit.output).shape, strides: order.map { strides[$0] })
    try copy(
      unit, .value(unit.inputs[0]), from, to: .value(unit.output),
      program.descriptor(unit.output))
  }

  /// Elements moved round along some dimensions.
  mutating func roll(_ unit: Unit, shifts: [Int], dimensions: [Int]) {
    let shape = value(unit.output).shape
    let roll = RollKernel(shape, Dictionary(uniqueKeysWithValues: zip(dimensions, shifts)))
    kernel(unit, "roll", [.value(unit.inputs[0]), .value(unit.output)]) { memory, workers in
      unsafe roll.run(memory[0], to: memory[1], workers)
    }
  }
}

extension Reshape: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  /// The result lies where the input does: `Program.view` says so, and nothing is lowered.
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    preconditionFailure("a reshape is a view")
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.pass(unit, .other(.reshape(Reshape(pass.shape(unit.inputs[0])))), [gradient])
  }
}

extension Permute: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.permute(unit, order)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    let inverse = order.indices.map { order.firstIndex(of: $0) ?? 0 }
    pass.pass(unit, .other(.permute(Permute(inverse))), [gradient])
  }
}

extension Roll: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.roll(unit, shifts: shifts, dimensions: dimensions)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    let back = Roll(shifts: shifts.map { -$0 }, dimensions: dimensions)
    pass.pass(unit, .other(.roll(back)), [gradient])
  }
}
