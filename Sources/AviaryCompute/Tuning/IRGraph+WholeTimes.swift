import AviaryGraph

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
