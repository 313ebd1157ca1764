import AviaryGraph
import AviaryThreads

extension GatherElements: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.expectNumbered(fusedOp, name, dimension)
    let shape = lowering.value(fusedOp.inputs[0]).shape
    let lines = DimensionLines(shape, dimension: dimension)
    let (size, length) = (shape[dimension], lowering.value(fusedOp.output).shape[dimension])
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      workers.split(lines.count, cost: 2 * length) { range in
        for line in range {
          let source = unsafe memory[0] + lines.start(line, length: size)
          let start = lines.start(line, length: length)
          for i in 0..<length {
            let at = start + i * lines.step
            let place = unsafe IndexNumber.place(memory[1][at], of: size)
            unsafe memory[2][at] = place.map { unsafe source[$0 * lines.step] } ?? .nan
          }
        }
      }
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(
      fusedOp, .gradient(.by(GatherElementsGradient(dimension: dimension))),
      [gradient, fusedOp.inputs[1]])
  }
}

/// By what was gathered from: every element gets the sum of what was taken of it. Takes the result's
/// gradient and the places.
struct GatherElementsGradient: GradientKernel {
  var dimension: Int

  var name: String { "gatherElements (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let shape = lowering.value(fusedOp.output).shape
    let lines = DimensionLines(shape, dimension: dimension)
    let (size, length) = (shape[dimension], lowering.value(fusedOp.inputs[0]).shape[dimension])
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      workers.split(lines.count, cost: 2 * length + size) { range in
        for line in range {
          let target = unsafe memory[2] + lines.start(line, length: size)
          for i in 0..<size { unsafe target[i * lines.step] = 0 }
          let start = lines.start(line, length: length)
          for i in 0..<length {
            let at = start + i * lines.step
            guard let place = unsafe IndexNumber.place(memory[1][at], of: size) else { continue }
            unsafe target[place * lines.step] += memory[0][at]
          }
        }
      }
    }
  }
}
