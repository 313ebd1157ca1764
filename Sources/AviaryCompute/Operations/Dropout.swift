import AviaryGraph

extension Dropout: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.dropout(fusedOp, rate: rate)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    // The same elements are dropped: they are a function of the seed and the node.
    pass.pass(fusedOp, fusedOp.kind, [gradient, fusedOp.inputs[1]])
  }

  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { [fusedOp.inputs[0]] }
}

extension Lowering {
  /// Dropout, forward and back: the seed is the second operand.
  fileprivate mutating func dropout(_ fusedOp: FusedOp, rate: Double) {
    let dropout = DropoutKernel(value(fusedOp.output), rate: rate, node: fusedOp.name)
    kernel(
      fusedOp, "dropout",
      [.value(fusedOp.inputs[0]), .value(fusedOp.output), .value(fusedOp.inputs[1])]
    ) { memory, workers in
      let seed = unsafe UnsafeRawPointer(memory[2]).load(as: UInt64.self)
      unsafe dropout.run(memory[0], to: memory[1], seed: seed, workers)
    }
  }
}
