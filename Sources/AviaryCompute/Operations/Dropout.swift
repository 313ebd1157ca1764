import AviaryGraph

extension Dropout: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.dropout(unit, rate: rate)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    // The same elements are dropped: they are a function of the seed and the node.
    pass.pass(unit, unit.work, [gradient, unit.inputs[1]])
  }

  func overwritable(_ unit: Unit, _ program: Program) -> [Int] { [unit.inputs[0]] }
}

extension Lowering {
  /// Dropout, forward and back: the seed is the second operand.
  fileprivate mutating func dropout(_ unit: Unit, rate: Double) {
    let dropout = DropoutKernel(value(unit.output), rate: rate, node: unit.name)
    kernel(
      unit, "dropout", [.value(unit.inputs[0]), .value(unit.output), .value(unit.inputs[1])]
    ) { memory, workers in
      let seed = unsafe UnsafeRawPointer(memory[2]).load(as: UInt64.self)
      unsafe dropout.run(memory[0], to: memory[1], seed: seed, workers)
    }
  }
}
