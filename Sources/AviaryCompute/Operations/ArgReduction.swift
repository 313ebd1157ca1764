import AviaryGraph
import AviaryThreads

extension ArgReduction: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.expectNumbered(fusedOp, name, dimension)
    let shape = lowering.value(fusedOp.inputs[0]).shape
    let lines = DimensionLines(shape, dimension: dimension)
    let length = shape[dimension], isLargest = kind == .argmax
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    ) { memory, workers in
      workers.split(lines.count, cost: length) { range in
        for line in range {
          let source = unsafe memory[0] + lines.start(line, length: length)
          var best = 0
          for i in 1..<max(length, 1) {
            let (value, found) = unsafe (source[i * lines.step], source[best * lines.step])
            if found.isNaN { break }
            if value.isNaN || (isLargest ? value > found : value < found) { best = i }
          }
          unsafe memory[1][line] = Float(best)
        }
      }
    }
  }

  /// A place does not change with the elements.
  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {}
}
