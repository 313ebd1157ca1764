package import AviaryGraph

/// Looks up what is known of the fused ops of an IR graph and times what is not, as far as that
/// pays: the costliest fused ops first, each with all its kernel candidates; then the copies
/// between the memory formats of the kernel candidates that are worth it.
struct Autotuner {
  /// The fused ops' kernel candidates with their costs in nanoseconds, the cheapest first.
  private(set) var candidates: [[KernelCandidate]]
  private let ir: IRGraph
  private let tuning: Tuning
  private let engine: Engine
  private let lastUses: [Int]
  private var keys: [String] = []
  /// The nanoseconds that are left for timing.
  private var left = 0.0

  /// What a run of a part of a fused op's work should take at least, in nanoseconds: by then values
  /// have left the caches, and more of the same takes proportionally longer.
  private static let part = 20e6
  /// What making a primitive takes beside running it.
  private static let making = 3e6
  /// How often each candidate is run, roughly.
  private static let runs = 4.0
  /// The time that stands for a candidate that cannot be used.
  private static let never = 1e12

  /// - Parameter estimates: the kernel candidates with their costs by estimate.
  init(
    _ ir: IRGraph, _ estimates: [[KernelCandidate]], _ tuning: Tuning, _ options: PlanOptions,
    _ engine: Engine
  ) {
    (self.ir, self.tuning, self.engine) = (ir, tuning, engine)
    candidates = estimates
    lastUses = ir.lastUses
    keys = ir.fusedOps.enumerated().map { position, fusedOp in
      TuningKey.fusedOp(
        fusedOp, in: ir, keepsResidual: keepsResidual(position), threads: engine.threads)
    }
    takeOver()
    guard options.runsAhead > 0 else { return }
    let ahead = candidates.reduce(0) { $0 + ($1.first?.cost ?? 0) } * Double(options.runsAhead)
    left = tuning.allowance(ahead: ahead)
    let missing = self.missing
    guard
      missing.contains(where: { cost($0.estimate, $0.candidates.count) <= left })
        || !missingCopies.isEmpty
    else { return }
    tuning.timing {
      guard let benchmarker = try? Benchmarker(engine) else { return }
      time(missing, benchmarker)
      takeOver()
      time(missingCopies, benchmarker)
    }
  }

  /// What is still to be timed: kernel candidates of one fused op, or a copy.
  private struct Measurement {
    var key: String
    /// The fused op that it is about, and the kernel candidates that are not known.
    var position = 0
    var candidates: [KernelCandidate] = []
    /// The copies.
    var shape: [Int] = []
    var copies: [Copy] = []
    /// Nanoseconds for the cheapest candidate, by estimate.
    var estimate: Double
  }

  private struct Copy: Hashable {
    var from: TensorFormat
    var to: TensorFormat
  }

  /// Whether what a fused op adds to its result is wanted again.
  private func keepsResidual(_ position: Int) -> Bool {
    guard let residual = ir.fusedOps[position].epilogue.residual else { return false }
    return lastUses[residual] > position
  }

  /// The time that timing takes.
  private func cost(_ estimate: Double, _ count: Int) -> Double {
    Double(count) * (Autotuner.runs * min(estimate, Autotuner.part) + Autotuner.making)
  }

  /// Replaces estimates by what is known, where all kernel candidates of a fused op are.
  private mutating func takeOver() {
    for position in candidates.indices {
      let found = tuning.found(keys[position])
      let times = candidates[position].map { found[$0.text] }
      guard !times.contains(nil) else { continue }
      for (candidate, time) in times.enumerated() {
        candidates[position][candidate].cost = time ?? .infinity
      }
      candidates[position] = candidates[position].stablySorted(\.cost)
    }
  }

  /// The fused ops of which something is not known, each kind once, the dearest first.
  private var missing: [Measurement] {
    var measurements: [Measurement] = []
    var seen: Set<String> = []
    for (position, key) in keys.enumerated() where seen.insert(key).inserted {
      let found = tuning.found(key)
      let unknown = candidates[position].filter { found[$0.text] == nil }
      let estimate = candidates[position].map(\.cost).min() ?? 0
      if unknown.isEmpty || estimate == 0 { continue }
      measurements.append(
        Measurement(key: key, position: position, candidates: unknown, estimate: estimate))
    }
    return measurements.stablySorted { -$0.estimate }
  }

  /// The copies that may be needed and are not known.
  private var missingCopies: [Measurement] {
    var wanted: [[Int]: Set<Copy>] = [:]
    var given = ir.values.map { _ in Set<TensorFormat>([TensorFormat(memoryFormat: .nchw)]) }
    for (position, fusedOp) in ir.fusedOps.enumerated() {
      given[fusedOp.output] = Set(promising(position).map(\.outputFormat))
    }
    func want(_ value: Int, _ format: TensorFormat) {
      let shape = ir.values[value].shape
      for from in given[value] where !format.isFree(from, shape) {
        wanted[shape, default: []].insert(Copy(from: from, to: format))
      }
    }
    for (position, fusedOp) in ir.fusedOps.enumerated() {
      for candidate in promising(position) {
        for (value, format) in ir.operands(of: fusedOp, candidate: candidate) {
          want(value, format)
        }
      }
    }
    for output in ir.outputs { want(output.value, TensorFormat(memoryFormat: .nchw)) }
    let measurements = wanted.compactMap { shape, copies -> Measurement? in
      let key = TuningKey.copy(shape, threads: engine.threads)
      let found = tuning.found(key)
      let unknown = copies.filter { found[TuningKey.reorderKey($0.from, $0.to)] == nil }
      if unknown.isEmpty { return nil }
      let estimate = ReorderCosts.estimate(shape, engine.threads)
      return Measurement(key: key, shape: shape, copies: Array(unknown), estimate: estimate)
    }
    return measurements.sorted { ($1.estimate, $0.key) < ($0.estimate, $1.key) }
      .filter { cost($0.estimate, $0.copies.count) <= left }
  }

  /// The kernel candidates of a fused op that are not far slower than its best.
  private func promising(_ position: Int) -> [KernelCandidate] {
    let best = candidates[position].map(\.cost).min() ?? 0
    return candidates[position].filter { $0.cost <= 3 * best }
  }

  /// Times as many as there is time for.
  private mutating func time(_ measurements: [Measurement], _ benchmarker: borrowing Benchmarker) {
    let clock = ContinuousClock()
    for measurement in measurements
    where cost(measurement.estimate, max(measurement.candidates.count, measurement.copies.count))
      <= left
    {
      let start = clock.now
      // Somebody else may have timed it while this waited for its turn.
      let known = tuning.found(measurement.key)
      let variants = variants(of: measurement).filter { known[$0.name] == nil }
      let times = benchmarker.times(variants.map(\.tuningTask))
      if times.contains(where: { $0 != nil }) {
        let found = zip(variants, times).map { ($0.name, $1 ?? Autotuner.never) }
        tuning.record(measurement.key, Dictionary(found) { $1 })
      }
      left -= (clock.now - start) / .nanoseconds(1)
    }
  }

  private func variants(of measurement: Measurement) -> [(name: String, tuningTask: TuningTask)] {
    let share = Autotuner.part / max(measurement.estimate, 1)
    if measurement.candidates.isEmpty {
      let cut = TruncatedShape(measurement.shape, share: share)
      return measurement.copies.map {
        (TuningKey.reorderKey($0.from, $0.to), TuningTask(copying: $0.from, to: $0.to, cut: cut))
      }
    }
    let fusedOp = ir.fusedOps[measurement.position]
    let cut = TruncatedShape(fusedOp, of: ir, share: share)
    return measurement.candidates.map {
      let tuningTask = TuningTask(
        fusedOp, of: ir, $0, keepsResidual: keepsResidual(measurement.position), cut: cut)
      return ($0.text, tuningTask)
    }
  }
}

extension IRGraph {
  /// The nanoseconds that the whole IR graph takes by each of several choices, run from end to end:
  /// what layers take alone leaves out what one finds in the caches of another.
  ///
  /// - Parameter estimate: the time of a run, roughly.
  /// - Returns: nil where it is not known and does not pay to be found.
  func wholeTimes(
    _ choices: [[KernelCandidate]], estimate: Double, _ tuning: Tuning, _ options: PlanOptions,
    _ engine: Engine
  ) -> [Double]? {
    let key = TuningKey.whole(self, threads: engine.threads)
    let names = choices.map { TuningKey.choice($0) }
    func known() -> [Double]? {
      let found = tuning.found(key)
      let times = names.compactMap { found[$0] }
      return times.count == names.count ? times : nil
    }
    if let times = known() { return times }
    // Code is generated for every fused op, and each choice is run at least this often.
    let cost = Double(choices.count) * (4 * estimate + 1e6 * Double(fusedOps.count))
    let ahead = estimate * Double(options.runsAhead)
    guard options.runsAhead > 0, cost <= tuning.allowance(ahead: ahead) else { return nil }
    tuning.timing {
      guard known() == nil, let benchmarker = try? Benchmarker(engine) else { return }
      let times = benchmarker.times(choices.map { TuningTask(whole: self, $0) })
      let found = zip(names, times).compactMap { name, time in time.map { (name, $0) } }
      if found.count == names.count { tuning.record(key, Dictionary(found) { $1 }) }
    }
    return known()
  }

  /// Has all fused ops done in these kernel candidates.
  mutating func take(_ candidates: [KernelCandidate]) {
    for (position, candidate) in candidates.enumerated() {
      fusedOps[position].candidate = candidate
      values[fusedOps[position].output].format = candidate.outputFormat
    }
  }
}

extension Plan {
  /// All kernel candidates of each layer, the best by estimate first: for tests that try them all.
  ///
  /// - Throws: as `init`, weights aside.
  package static func candidates(
    _ graph: Graph, inputShapes: [[Int]], options: PlanOptions = PlanOptions(), engine: Engine
  ) throws(ComputeError) -> [[PlanChoice]] {
    let (graph, shapes) = try LoweredGraph.expanded(graph, for: inputShapes)
    var ir = try IRGraph(graph, shapes: shapes, outputs: nil)
    ir.fuse()
    let candidates = ReorderCosts(ir, options, engine).candidates
    return zip(ir.fusedOps, candidates).map { fusedOp, candidates in
      candidates.map { PlanChoice(fusedOp, $0) }
    }
  }
}
