import AviaryGraph
import CKernels

extension Softmax: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    candidates(of: ir.values[fusedOp.output].shape)
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let rows = rows(of: lowering.value(fusedOp.output))
    let logarithm: Int32 = logarithm ? 1 : 0
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      rows.split(workers, cost: 8) { place, count in
        unsafe withUnsafePointer(to: rows.forC) { how in
          unsafe aviary_softmax(how, logarithm, memory[0] + place, memory[1] + place, count)
        }
      }
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(
      fusedOp, .gradient(.by(SoftmaxGradient(softmax: self))), [gradient, fusedOp.output])
  }

  /// Channels may also lie side by side.
  fileprivate func candidates(of shape: [Int]) -> [KernelCandidate] {
    shape.count == 4 && dimension == 1 ? KernelCandidate.anyUnblocked : KernelCandidate.rowMajor
  }

  fileprivate func rows(of value: IRGraph.Value) -> Rows {
    Rows(value, dimension..<dimension + 1)
  }
}

/// By what a softmax took. Takes the result's gradient and the result.
struct SoftmaxGradient: GradientKernel {
  var softmax: Softmax

  var name: String { "\(softmax.name) (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    softmax.candidates(of: ir.values[fusedOp.output].shape)
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let rows = softmax.rows(of: lowering.value(fusedOp.output))
    let logarithm: Int32 = softmax.logarithm ? 1 : 0
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      rows.split(workers, cost: 4) { place, count in
        unsafe withUnsafePointer(to: rows.forC) { how in
          unsafe aviary_softmax_gradient(
            how, logarithm, memory[0] + place, memory[1] + place, memory[2] + place, count)
        }
      }
    }
  }
}

extension Rows {
  fileprivate var forC: aviary_rows { aviary_rows(width: width, step: step) }
}
