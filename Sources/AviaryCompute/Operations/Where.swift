import AviaryGraph

extension Where: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.pointwise(fusedOp)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let inputs = fusedOp.inputs
    pass.addZero(fusedOp, to: inputs[0])
    pass.addPart(fusedOp, gradient, to: inputs[1]) { $0[1].choosing($0[0], $0[0].constant(0)) }
    pass.addPart(fusedOp, gradient, to: inputs[2]) { $0[1].choosing($0[0].constant(0), $0[0]) }
  }

  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { ir.sameShape(fusedOp) }
}
