import AviaryGraph

/// What was decided about the layers of an IR graph.
struct LayoutDecision {
  /// By number of the fused op.
  var layers: [(name: String, kind: String)] = []
  var candidates: [KernelCandidate] = []
  /// The time that a run is expected to take, as far as it was measured or estimated.
  var nanoseconds = 0.0

  /// The same in words, which are only made for whoever asks.
  var choices: [PlanChoice] {
    zip(layers, candidates).map { PlanChoice(layer: "\($0.name) \($0.kind)", candidate: $1.text) }
  }
}

extension IRGraph {
  /// Decides for every fused op how it is done, so that the fused ops' own costs and those of the copies
  /// between memory formats are small together.
  mutating func assignMemoryFormats(
    _ options: PlanOptions, _ engine: Engine
  ) -> LayoutDecision {
    let stated = stated(options.choices, options)
    var options = options
    // Where nothing is left to choose, nothing is timed.
    if stated != nil { options.runsAhead = 0 }
    let costs = ReorderCosts(self, options, engine)
    let search = MemoryFormatSearch(self, costs)
    var candidates = stated ?? search.best()
    var nanoseconds = search.cost(of: candidates)
    if stated == nil, let tuning = options.tuning {
      decide(&candidates, &nanoseconds, tuning, options, engine)
    }
    take(candidates)
    return LayoutDecision(
      layers: fusedOps.map { (name: $0.name, kind: $0.kind.name) }, candidates: candidates,
      nanoseconds: nanoseconds)
  }

  /// Takes what estimates choose instead where all of the network is faster so.
  private func decide(
    _ candidates: inout [KernelCandidate], _ nanoseconds: inout Double, _ tuning: Tuning, _ options: PlanOptions,
    _ engine: Engine
  ) {
    var plain = options
    plain.tuning = nil
    let estimated = MemoryFormatSearch(self, ReorderCosts(self, plain, engine)).best()
    guard estimated.map(\.text) != candidates.map(\.text),
      let times = wholeTimes(
        [candidates, estimated], estimate: nanoseconds, tuning, options, engine)
    else { return }
    nanoseconds = min(times[0], times[1])
    if times[1] < times[0] { candidates = estimated }
  }

  /// The kernel candidates that a caller wants; nil unless each is one of its fused op's.
  private func stated(_ choices: [PlanChoice], _ options: PlanOptions) -> [KernelCandidate]? {
    guard choices.count == fusedOps.count else { return nil }
    var result: [KernelCandidate] = []
    for (position, choice) in choices.enumerated() {
      let fusedOp = fusedOps[position]
      let candidate = candidates(of: fusedOp, options).first { PlanChoice(fusedOp, $0) == choice }
      guard let candidate else { return nil }
      result.append(candidate)
    }
    return result
  }

  /// The values that a fused op takes, and in which form: a value that is added to its result in the
  /// form of the result.
  func operands(of fusedOp: FusedOp, candidate: KernelCandidate? = nil) -> [(value: Int, format: TensorFormat)] {
    let candidate = candidate ?? fusedOp.candidate
    return fusedOp.inputs.enumerated().map { ($1, candidate.format(ofInput: $0)) }
      + (fusedOp.epilogue.residual.map { [($0, candidate.outputFormat)] } ?? [])
  }
}

extension IRGraph {
  /// Puts a fused op that copies before every fused op that takes a value in another memory format than it has,
  /// and behind every output that is not planar. A copy serves all who want the same.
  mutating func insertReorders() {
    var copies: [Copy: Int] = [:]
    var result: [FusedOp] = []
    var isBackward = false
    func converted(_ value: Int, _ format: TensorFormat, for name: String) -> Int {
      if values[value].format == format { return value }
      if let copy = copies[Copy(value: value, format: format)] { return copy }
      values.append(Value(shape: values[value].shape, format: format))
      var fusedOp = FusedOp(
        name: name, kind: .reorder, inputs: [value], output: values.count - 1, parameters: [])
      fusedOp.candidate = KernelCandidate(values[value].memoryFormat, format.memoryFormat, cost: 0)
      fusedOp.candidate.inputDataType = values[value].format.dataType
      fusedOp.candidate.outputDataType = format.dataType
      fusedOp.isBackward = isBackward
      result.append(fusedOp)
      copies[Copy(value: value, format: format)] = fusedOp.output
      return fusedOp.output
    }
    func convertOutputs(_ positions: [Int]) {
      for position in positions {
        outputs[position].value = converted(
          outputs[position].value, TensorFormat(memoryFormat: .nchw), for: outputs[position].name)
      }
    }
    for var fusedOp in fusedOps {
      if fusedOp.isBackward, !isBackward {
        // What the forward pass gives is ready when it ends.
        convertOutputs(outputs.indices.filter { $0 < forwardOutputs })
        isBackward = true
      }
      fusedOp.inputs = fusedOp.inputs.enumerated().map { position, value in
        converted(value, fusedOp.candidate.format(ofInput: position), for: fusedOp.name)
      }
      if let residual = fusedOp.epilogue.residual {
        fusedOp.epilogue.residual = converted(residual, fusedOp.candidate.outputFormat, for: fusedOp.name)
      }
      result.append(fusedOp)
    }
    convertOutputs(Array(outputs.indices))
    fusedOps = result
  }

  /// A value in another form.
  private struct Copy: Hashable {
    var value: Int
    var format: TensorFormat
  }
}
