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
  /// Decides for every fused op how it is done, so that the fused ops' own costs and those of the
  /// copies between memory formats are small together.
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
    _ candidates: inout [KernelCandidate], _ nanoseconds: inout Double, _ tuning: Tuning,
    _ options: PlanOptions,
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

  /// The values that a fused op takes, and in which format: a value that is added to its result in
  /// the format of the result.
  func operands(of fusedOp: FusedOp, candidate: KernelCandidate? = nil) -> [(
    value: Int, format: TensorFormat
  )] {
    let candidate = candidate ?? fusedOp.candidate
    return fusedOp.inputs.enumerated().map { ($1, candidate.format(ofInput: $0)) }
      + (fusedOp.epilogue.residual.map { [($0, candidate.outputFormat)] } ?? [])
  }
}

extension IRGraph {
  /// Puts a fused op that copies before every fused op that takes a value in another memory format
  /// than it has, and behind every output that is not nchw. A copy serves all who want the same.
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
        fusedOp.epilogue.residual = converted(
          residual, fusedOp.candidate.outputFormat, for: fusedOp.name)
      }
      result.append(fusedOp)
    }
    convertOutputs(Array(outputs.indices))
    fusedOps = result
  }

  /// A value in another format.
  private struct Copy: Hashable {
    var value: Int
    var format: TensorFormat
  }
}

/// Looks for the kernel candidates of all fused ops that make the sum of the fused ops' own costs
/// and of the copies between them small. A value that several fused ops want in the same format is
/// copied once.
///
/// From several starting points (each fused op its own best; all in one memory format) every fused
/// op in turn takes the kernel candidate that is best with its neighbours as they are, until
/// nothing changes; the best result is taken. Chains of convolutions end up in one memory format,
/// which is what matters.
struct MemoryFormatSearch {
  private let costs: ReorderCosts
  private let fusedOps: [Node]
  private let values: [Edge]

  /// A fused op, as far as the search asks. Looked at hundreds of times each: everything is a
  /// number.
  private struct Node {
    var output: Int
    /// The values that it takes, each once.
    var operands: [Int]
    /// By number of the kernel candidate.
    var candidates: [Candidate]
  }

  /// What one of a fused op's kernel candidates asks of its neighbours.
  private struct Candidate {
    var cost: Double
    /// For each of the fused op's operands a bit for each format in which it is wanted.
    var wanted: [UInt64]
    /// The index of the format that it gives.
    var given: Int
    /// Whether it is a convolution vectorised over pixels that could go line by line into another
    /// one, and whether another one could go into it.
    var startsChain: Bool
    var endsChain: Bool
  }

  /// A value between fused ops.
  private struct Edge {
    /// The fused op that gives it; nil for what comes from outside, row-major.
    var producer: Int?
    /// The fused ops that take it, and as which of their operands.
    var takers: [(fusedOp: Int, operand: Int)] = []
    /// Whether it is wanted outside, row-major.
    var isOutput = false
  }

  init(_ ir: IRGraph, _ costs: ReorderCosts) {
    self.costs = costs
    let isTraining = ir.fusedOps.contains { $0.isBackward }
    var fusedOps: [Node] = []
    var values = ir.values.map { _ in Edge() }
    for output in ir.outputs { values[output.value].isOutput = true }
    for (position, fusedOp) in ir.fusedOps.enumerated() {
      var operands: [Int] = []
      for (value, _) in ir.operands(of: fusedOp) where !operands.contains(value) {
        values[value].takers.append((position, operands.count))
        operands.append(value)
      }
      values[fusedOp.output].producer = position
      let candidates = costs.candidates[position].map { candidate in
        let isChainable = !isTraining && candidate.algorithm == .spatial
        var wanted = [UInt64](repeating: 0, count: operands.count)
        for (value, format) in ir.operands(of: fusedOp, candidate: candidate) {
          if let operand = operands.firstIndex(of: value) { wanted[operand] |= 1 << format.number }
        }
        return Candidate(
          cost: candidate.cost, wanted: wanted, given: candidate.outputFormat.number,
          startsChain: isChainable && fusedOp.epilogue.residual == nil,
          endsChain: isChainable && fusedOp.inputs.count == 1 && candidate.input == .nchw)
      }
      fusedOps.append(Node(output: fusedOp.output, operands: operands, candidates: candidates))
    }
    (self.fusedOps, self.values) = (fusedOps, values)
  }

  /// The kernel candidates found, by number of the fused op.
  func best() -> [KernelCandidate] {
    let starts: [(KernelCandidate) -> Bool] = [
      { _ in true },
      { $0.output == .nchw },
      { $0.output == .nhwc },
      { $0.output == .nChw16c },
      { $0.output == .nhwc && $0.outputDataType != .float32 },
      { $0.output == .nChw16c && $0.outputDataType != .float32 },
    ]
    var best: (cost: Double, choice: [Int]) = (.infinity, [])
    var seen: Set<[Int]> = []
    for prefers in starts {
      var choice = costs.candidates.map { $0.firstIndex(where: prefers) ?? 0 }
      // In float32 alone the last two begin as the first.
      guard seen.insert(choice).inserted else { continue }
      // Each round lowers the total; the bound is for very long chains, which need not be optimal.
      for _ in 0..<16 where !improve(&choice) { break }
      let cost = cost(of: choice)
      if cost < best.cost || best.choice.isEmpty { best = (cost, choice) }
    }
    return zip(costs.candidates, best.choice).map { $0[$1] }
  }

  /// The nanoseconds that all takes together.
  func cost(of candidates: [KernelCandidate]) -> Double {
    cost(of: candidates.enumerated().map { costs.number(of: $1, ofUnit: $0) })
  }

  private func cost(of choice: [Int]) -> Double {
    let copies = values.indices.reduce(0) { $0 + self.copies(of: $1, choice) }
    return choice.indices.reduce(copies) { $0 + fusedOps[$1].candidates[choice[$1]].cost }
  }

  /// One round over all fused ops. Says whether anything changed.
  private func improve(_ choice: inout [Int]) -> Bool {
    var isChanged = false
    for position in fusedOps.indices where fusedOps[position].candidates.count > 1 {
      var best = choice[position]
      // A little must be gained, lest rounding errors keep the rounds going.
      var lowest = cost(around: position, choice) * (1 - 1e-9)
      for candidate in fusedOps[position].candidates.indices where candidate != best {
        choice[position] = candidate
        let cost = cost(around: position, choice)
        if cost < lowest { (best, lowest, isChanged) = (candidate, cost, true) }
      }
      choice[position] = best
    }
    return isChanged
  }

  /// The cost of a fused op and of copies of what it takes and gives.
  private func cost(around position: Int, _ choice: [Int]) -> Double {
    var sum = fusedOps[position].candidates[choice[position]].cost
    sum += copies(of: fusedOps[position].output, choice)
    for value in fusedOps[position].operands { sum += copies(of: value, choice) }
    return sum
  }

  /// Whether a value goes line by line from one convolution vectorised over pixels into the next.
  private func isLineBuffered(_ value: Int, _ choice: [Int]) -> Bool {
    guard !values[value].isOutput, values[value].takers.count == 1,
      values[value].takers[0].operand == 0, let from = values[value].producer
    else { return false }
    let taker = values[value].takers[0].fusedOp
    return fusedOps[from].candidates[choice[from]].startsChain
      && fusedOps[taker].candidates[choice[taker]].endsChain
  }

  /// The cost of the copies of a value.
  private func copies(of value: Int, _ choice: [Int]) -> Double {
    if isLineBuffered(value, choice) {
      // Neither written nor read: about what a copy takes is saved.
      return -costs.copy(
        value, TensorFormat(memoryFormat: .nchw).number, TensorFormat(memoryFormat: .nhwc).number)
    }
    let nchw = TensorFormat(memoryFormat: .nchw).number
    let from = values[value].producer.map { fusedOps[$0].candidates[choice[$0]].given } ?? nchw
    // A bit for each format that is wanted.
    var wanted: UInt64 = values[value].isOutput ? 1 << nchw : 0
    for taker in values[value].takers {
      wanted |= fusedOps[taker.fusedOp].candidates[choice[taker.fusedOp]].wanted[taker.operand]
    }
    var sum = 0.0
    while wanted != 0 {
      sum += costs.copy(value, from, wanted.trailingZeroBitCount)
      wanted &= wanted - 1
    }
    return sum
  }
}
