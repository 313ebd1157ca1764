import AviaryGraph

/// A fused op, or a copy, as an IR graph of its own that takes and gives its values in the formats
/// of one of its kernel candidates; cut down to fewer rows or images where all of it would take
/// long.
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
    _ fusedOp: FusedOp, of whole: IRGraph, _ candidate: KernelCandidate, keepsResidual: Bool,
    cut: TruncatedShape
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

  /// A copy into another format.
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

/// The shapes of a part of a fused op's work: fewer images, then fewer rows.
struct TruncatedShape {
  private(set) var inputs: [[Int]]
  private(set) var output: [Int]
  /// How much more work the whole is.
  private(set) var factor = 1.0

  /// - Parameters:
  ///   - share: the part that is enough; the whole where it is 1 or more, or where the work cannot
  ///     be divided.
  init(_ fusedOp: FusedOp, of ir: IRGraph, share: Double) {
    inputs = fusedOp.inputs.map { ir.values[$0].shape }
    output = ir.values[fusedOp.output].shape
    guard share < 1 else { return }
    let count = Double(output.reduce(1, *))
    switch fusedOp.kind {
    case .convolution(let c, _): cut(.convolution(c), share)
    case .transposedConvolution(let c): cut(.transposedConvolution(c), share)
    case .gradient(.convolutionInput):
      let images = output[0]
      output[0] = TruncatedShape.part(of: images, share)
      inputs[0][0] = output[0]
      factor = Double(images) / Double(output[0])
      return
    case .gradient(.convolutionWeights):
      let images = inputs[0][0], fewer = TruncatedShape.part(of: images, share)
      for i in inputs.indices { inputs[i][0] = fewer }
      factor = Double(images) / Double(fewer)
      return
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other: return
    }
    factor = count / Double(output.reduce(1, *))
  }

  /// For copies of a value.
  init(_ shape: [Int], share: Double) {
    output = shape
    inputs = [shape]
    guard share < 1, shape.count == 4 else { return }
    output = TruncatedShape.fewer(shape, share)
    inputs = [output]
    factor = Double(shape.reduce(1, *)) / Double(output.reduce(1, *))
  }

  private mutating func cut(_ op: Op, _ share: Double) {
    let part = TruncatedShape.fewer(inputs[0], share)
    guard let result = try? op.outputShape([part]) else { return }
    inputs[0] = part
    output = result
  }

  private static func fewer(_ shape: [Int], _ share: Double) -> [Int] {
    var shape = shape
    let images = part(of: shape[0], share)
    let left = share * Double(shape[0]) / Double(images)
    shape[0] = images
    // As many rows as hide what happens at their ends.
    shape[2] = min(shape[2], max(part(of: shape[2], left).roundedUp(to: 16), 64))
    return shape
  }

  private static func part(of count: Int, _ share: Double) -> Int {
    min(count, max(1, Int((Double(count) * share).rounded(.up))))
  }
}
