import AviaryGraph

extension IRGraph {
  /// Makes one pass over memory of elementwise operations that follow one another, whatever their
  /// number: what lies between them is never written.
  ///
  /// It comes behind the fusion with convolutions, whose epilogues cost nothing at all.
  mutating func fusePointwise() {
    var fusion = PointwiseFusion(self)
    fusion.run()
    fusedOps = fusion.result
  }
}

/// The work of `IRGraph.fusePointwise`.
private struct PointwiseFusion {
  private let ir: IRGraph
  /// The fused ops that are left; nil for one that is done by a later one.
  private var fusedOps: [FusedOp?]
  /// The position of the fused op that gives a value.
  private var producer: [Int?]
  /// How many fused ops and outputs take each value; one that takes it twice is counted once.
  private var takers: [Int]

  init(_ ir: IRGraph) {
    self.ir = ir
    fusedOps = ir.fusedOps
    producer = Array(repeating: nil, count: ir.values.count)
    takers = Array(repeating: 0, count: ir.values.count)
    for fusedOp in ir.fusedOps {
      for value in Set(ir.operands(of: fusedOp).map(\.value)) { takers[value] += 1 }
    }
    for output in ir.outputs + ir.statistics { takers[output.value] += 1 }
  }

  var result: [FusedOp] { fusedOps.compactMap { $0 } }

  /// One pass in order of execution: each takes in what comes before it, which has taken in what
  /// comes before that. A value that two of those take is found when both are in.
  mutating func run() {
    for position in fusedOps.indices {
      guard var fusedOp = fusedOps[position] else { continue }
      producer[fusedOp.output] = position
      while let (before, joined) = joined(fusedOp) {
        fusedOps[before] = nil
        fusedOp = joined
        fusedOps[position] = joined
      }
    }
  }

  /// A fused op together with one whose result nobody else takes, and where that stands.
  private mutating func joined(_ fusedOp: FusedOp) -> (before: Int, both: FusedOp)? {
    guard let chain = ir.pointwiseChain(fusedOp) else { return nil }
    for value in fusedOp.inputs {
      // What repeats would be computed again for every repetition.
      guard takers[value] == 1, ir.values[value].shape == ir.values[fusedOp.output].shape,
        let position = producer[value], let before = fusedOps[position],
        before.isBackward == fusedOp.isBackward, let inner = ir.pointwiseChain(before),
        let both = join(before, inner, into: fusedOp, chain)
      else { continue }
      for value in Set(before.inputs).intersection(fusedOp.inputs) { takers[value] -= 1 }
      return (position, both)
    }
    return nil
  }

  /// Two fused ops as one; nil where that would be too large.
  private func join(
    _ before: FusedOp, _ inner: PointwiseChain, into fusedOp: FusedOp, _ outer: PointwiseChain
  ) -> FusedOp? {
    var inputs: [Int] = []
    for value in before.inputs + fusedOp.inputs
    where value != before.output && !inputs.contains(value) { inputs.append(value) }
    var constants = inner.constants
    for constant in outer.constants where !constants.contains(constant) {
      constants.append(constant)
    }
    guard inputs.count + constants.count <= PointwiseKernel.mostOperands else { return nil }
    let program = PointwiseProgram(operands: inputs.count + constants.count) { operands in
      func operand<Element: Equatable>(
        _ element: Element, _ elements: [Element], from start: Int
      ) -> PointwiseValue {
        guard let position = elements.firstIndex(of: element) else {
          preconditionFailure("every operand of a part is one of the whole")
        }
        return operands[start + position]
      }
      func numbers(_ list: [PointwiseConstant]) -> [PointwiseValue] {
        list.map { operand($0, constants, from: inputs.count) }
      }
      let result = inner.program(
        before.inputs.map { operand($0, inputs, from: 0) } + numbers(inner.constants))
      return outer.program(
        fusedOp.inputs.map { $0 == before.output ? result : operand($0, inputs, from: 0) }
          + numbers(outer.constants))
    }
    guard program.slots.count <= PointwiseKernel.mostSlots else { return nil }
    var both = fusedOp
    both.kind = .pointwise(PointwiseChain(program: program, constants: constants))
    both.inputs = inputs
    both.scaleShift = []
    both.parameters = constants.flatMap(\.parameters)
    return both
  }
}
