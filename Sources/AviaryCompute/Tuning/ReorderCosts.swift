import AviaryGraph

/// What the fused ops of an IR graph cost in each of their kernel candidates, and what copies of
/// values into other formats cost, in nanoseconds on an engine: as measured where that is known,
/// else by estimate.
struct ReorderCosts {
  /// By number of the fused op, the cheapest first.
  private(set) var candidates: [[KernelCandidate]]
  /// By number of the value: from each format into each format.
  private let copies: [[Double]]

  /// - Parameter options: with what was measured, if that is to count; what it lacks is timed if
  ///   that pays.
  init(_ ir: IRGraph, _ options: PlanOptions, _ engine: Engine) {
    let estimates = ir.fusedOps.map { fusedOp in
      let candidates = ir.candidates(of: fusedOp, options)
      // Some know of nothing but what distinguishes them.
      let passes = candidates.contains { $0.cost == 0 } ? ir.passes(fusedOp) : 0
      return candidates.map { candidate in
        var candidate = candidate
        candidate.cost = (candidate.cost + passes) / Double(engine.threads)
        return candidate
      }
    }
    guard let tuning = options.tuning else {
      candidates = estimates
      copies = ReorderCosts.copies(of: ir) { shape in
        ReorderCosts.copies(of: shape, engine.threads) { _, _ in nil }
      }
      return
    }
    let autotuner = Autotuner(ir, estimates, tuning, options, engine)
    candidates = autotuner.candidates
    copies = ReorderCosts.copies(of: ir) { shape in
      let found = tuning.found(TuningKey.copy(shape, threads: engine.threads))
      return ReorderCosts.copies(of: shape, engine.threads) { found[TuningKey.reorderKey($0, $1)] }
    }
  }

  /// The number of a kernel candidate among a fused op's, whatever it is said to cost.
  func number(of candidate: KernelCandidate, ofUnit position: Int) -> Int {
    candidates[position].firstIndex { $0.isSame(as: candidate) } ?? 0
  }

  /// The cost of copying a value from one format into another, by the formats' indices.
  func copy(_ value: Int, _ from: Int, _ to: Int) -> Double {
    copies[value][from * TensorFormat.count + to]
  }

  /// What copies cost of each value of an IR graph; found once for values of one shape.
  private static func copies(
    of ir: IRGraph, _ find: ([Int]) -> [Double]
  ) -> [[Double]] {
    var known: [[Int]: [Double]] = [:]
    return ir.values.map { value in
      if let found = known[value.shape] { return found }
      let found = find(value.shape)
      known[value.shape] = found
      return found
    }
  }

  private static func copies(
    of shape: [Int], _ threads: Int, _ measured: (TensorFormat, TensorFormat) -> Double?
  ) -> [Double] {
    TensorFormat.all.flatMap { from in
      TensorFormat.all.map { to in
        if to.isFree(from, shape) { return 0 }
        return measured(from, to) ?? estimate(shape, threads)
      }
    }
  }

  /// What copying a value takes, by estimate.
  static func estimate(_ shape: [Int], _ threads: Int) -> Double {
    Double(shape.reduce(1, *)) * KernelCandidate.nanosecondsPerMove / Double(threads)
  }
}

extension IRGraph {
  /// What a fused op costs that reads and writes, and hardly calculates.
  fileprivate func passes(_ fusedOp: FusedOp) -> Double {
    if case .other(.reshape) = fusedOp.kind { return 0 }
    let elements = fusedOp.inputs.reduce(values[fusedOp.output].count) { $0 + values[$1].count }
    return Double(elements) * KernelCandidate.nanosecondsPerMove / 2
  }
}

extension TensorFormat {
  /// One of each data type, at its index: the scale makes no difference to the time that a copy
  /// takes.
  static let all = [DataType.float32, .bfloat16, .int8(scale: 1), .uint8(scale: 1)].flatMap {
    dataType in
    MemoryFormat.allCases.map { TensorFormat(memoryFormat: $0, dataType: dataType) }
  }
  static let count = all.count

  /// Whether a value of this shape lies the same in both formats.
  func isFree(_ from: TensorFormat, _ shape: [Int]) -> Bool {
    dataType == from.dataType && from.memoryFormat.coincides(with: memoryFormat, for: shape)
  }

  var number: Int { dataType.number * MemoryFormat.allCases.count + memoryFormat.number }
}

extension MemoryFormat {
  var number: Int {
    switch self {
    case .nchw: 0
    case .nhwc: 1
    case .nChw16c: 2
    }
  }
}
