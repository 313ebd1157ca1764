import AviaryGraph

/// A fused op, or a copy, as an IR graph of its own that takes and gives its values in the forms of one of
/// its kernel candidates; cut down to fewer rows or pictures where all of it would take long.
struct TuningTask {
  let ir: IRGraph
  /// How much longer the whole takes.
  let factor: Double

  /// A fused op of an IR graph in one of its kernel candidates.
  ///
  /// - Parameters:
  ///   - keepsResidual: whether what is added is wanted again, so that the result cannot be written
  ///     over it.
  ///   - cut: a part of the fused op's work that is enough.
  init(
    _ fusedOp: FusedOp, of whole: IRGraph, _ candidate: KernelCandidate, keepsResidual: Bool, cut: TruncatedShape
  ) {
    var values: [IRGraph.Value] = []
    var indices: [Operand: Int] = [:]
    func number(_ value: Int, _ format: TensorFormat, _ shape: [Int]) -> Int {
      if let known = indices[Operand(value: value, format: format)] { return known }
      values.append(IRGraph.Value(shape: shape, format: format))
      indices[Operand(value: value, format: format)] = values.count - 1
      return values.count - 1
    }
    var fusedOp = fusedOp
    fusedOp.candidate = candidate
    fusedOp.inputs = fusedOp.inputs.enumerated().map { position, value in
      number(value, candidate.format(ofInput: position), cut.inputs[position])
    }
    fusedOp.epilogue.residual = fusedOp.epilogue.residual.map {
      number($0, candidate.outputFormat, cut.output)
    }
    let inputs = Array(values.indices)
    var kept: [Int] = []
    if keepsResidual, let residual = fusedOp.epilogue.residual { kept.append(residual) }
    values.append(IRGraph.Value(shape: cut.output, format: candidate.outputFormat))
    fusedOp.output = values.count - 1
    kept.append(fusedOp.output)
    fusedOp.extraOutputs = fusedOp.extraOutputs.map { value in
      values.append(whole.values[value])
      return values.count - 1
    }
    ir = IRGraph(values, [fusedOp], inputs: inputs, outputs: kept)
    factor = cut.factor
  }

  /// A copy into another form.
  init(copying from: TensorFormat, to: TensorFormat, cut: TruncatedShape) {
    var fusedOp = FusedOp(name: "copy", kind: .reorder, inputs: [0], output: 1, parameters: [])
    fusedOp.candidate = KernelCandidate(from.memoryFormat, to.memoryFormat, cost: 0)
    ir = IRGraph(
      [
        IRGraph.Value(shape: cut.output, format: from),
        IRGraph.Value(shape: cut.output, format: to),
      ], [fusedOp], inputs: [0], outputs: [1])
    factor = cut.factor
  }

  /// All of an IR graph with its fused ops done in these kernel candidates.
  init(whole: IRGraph, _ candidates: [KernelCandidate]) {
    var ir = whole
    ir.take(candidates)
    ir.insertReorders()
    self.ir = ir
    factor = 1
  }

  private struct Operand: Hashable {
    var value: Int
    var format: TensorFormat
  }
}

extension IRGraph {
  /// An IR graph with its memory formats decided.
  fileprivate init(_ values: [Value], _ fusedOps: [FusedOp], inputs: [Int], outputs: [Int]) {
    (self.values, self.fusedOps, self.inputs) = (values, fusedOps, inputs)
    self.outputs = outputs.map { Graph.Output("\($0)", value: $0) }
    forwardOutputs = outputs.count
  }
}
