import AviaryGraph

/// An operation that moves, repeats or leaves out elements along some dimensions: one kernel does it
/// by a table for each of them, and one its gradient.
protocol GatheringOperation: KernelOperation {
  /// The dimensions of the result along which elements are not where they were.
  func dimensions(_ input: [Int], _ output: [Int]) -> [Int]
  /// Which of so many elements of the input stands at each place along one of those dimensions; -1
  /// for the filling.
  func table(_ dimension: Int, from size: Int, to count: Int) -> [Int]
  /// What stands where no element of the input does.
  var filling: Double { get }
}

extension GatheringOperation {
  var filling: Double { 0 }

  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    gatherCandidates(ir.values[fusedOp.inputs[0]].shape, ir.values[fusedOp.output].shape)
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let input = lowering.value(fusedOp.inputs[0]).shape
    let output = lowering.value(fusedOp.output).shape
    let format = lowering.value(fusedOp.output).memoryFormat
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
      preparing: {
        let gather = DimensionGather(
          aligned(input, output), tables(input, output), format, filling: filling)
        return { memory, workers in unsafe gather.run(memory[0], to: memory[1], workers) }
      })
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(GatherGradient(operation: self))), [gradient])
  }

  /// A block of channels is never cut, and what has another number of dimensions lies otherwise.
  fileprivate func gatherCandidates(_ input: [Int], _ output: [Int]) -> [KernelCandidate] {
    if input.count != output.count { return KernelCandidate.rowMajor }
    return dimensions(input, output).contains(1)
      ? KernelCandidate.anyUnblocked : KernelCandidate.anyLayout
  }

  /// The input's shape, with as many dimensions as the output.
  fileprivate func aligned(_ input: [Int], _ output: [Int]) -> [Int] {
    Array(repeating: 1, count: output.count - input.count) + input
  }

  fileprivate func tables(_ input: [Int], _ output: [Int]) -> [Int: [Int]] {
    let own = aligned(input, output)
    var tables: [Int: [Int]] = [:]
    for dimension in dimensions(input, output) {
      tables[dimension] = table(dimension, from: own[dimension], to: output[dimension])
    }
    return tables
  }
}

/// By what elements were taken of. Takes the result's gradient.
struct GatherGradient<Operation: GatheringOperation>: GradientKernel {
  var operation: Operation

  var name: String { "\(operation.name) (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    operation.gatherCandidates(
      ir.values[fusedOp.output].shape, ir.values[fusedOp.inputs[0]].shape)
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let input = lowering.value(fusedOp.output).shape
    let output = lowering.value(fusedOp.inputs[0]).shape
    let format = lowering.value(fusedOp.output).memoryFormat
    let operation = operation
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
      preparing: {
        let gradient = DimensionGatherGradient(
          operation.aligned(input, output), operation.tables(input, output), format)
        return { memory, workers in unsafe gradient.run(memory[0], to: memory[1], workers) }
      })
  }
}
