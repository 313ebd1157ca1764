import AviaryGraph
import AviaryThreads

extension LearnedConstant: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  /// The parameter, copied to where values lie.
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let count = lowering.value(fusedOp.output).count
    let parameter = try lowering.parameter(fusedOp.parameters[0], shape)
    lowering.kernel(fusedOp, name, [parameter, .value(fusedOp.output)]) { memory, workers in
      workers.split(count) { range in
        unsafe (memory[1] + range.lowerBound)
          .update(from: memory[0] + range.lowerBound, count: range.count)
      }
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.add(gradient, toParameter: fusedOp.parameters[0])
  }
}
