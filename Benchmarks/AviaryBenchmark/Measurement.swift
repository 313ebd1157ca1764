internal import Aviary
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// What one work took the engine.
struct Measurement {
  /// "aviary", or "aviary exact" without Winograd's algorithm.
  let peer: String
  let work: Work
  let times: TimedRuns
  /// From graph and weights to the first plan, weights reordered and code generated, and the ways
  /// to compute layers timed where the cache did not know them.
  let planningMilliseconds: Double
  /// Nil for trainings.
  let arenaBytes: Int?
  let threads: Int
  /// Multiplications and additions, counted as one, of all images of the batch.
  let multiplyAdds: Double
  /// From the right output, as a part of its largest value; nil for trainings.
  let difference: Double?

  /// What calculations of one network may differ by: as `ALLOWED` of the peers' scripts.
  private static func allowedDifference(_ work: Work) -> Double { work.isBfloat16 ? 3e-2 : 1e-4 }

  /// By measurement, whatever it takes: a plan is made once and run many times. What was measured
  /// is kept in the user's cache, as the program does it.
  static func options(exact: Bool, _ work: Work) -> PlanOptions {
    PlanOptions(
      exact: exact, precision: work.isBfloat16 ? .bfloat16 : .float32,
      tuning: Tuning(.always, store: TuningCache.standard))
  }

  /// Plans once, warms up, and times.
  ///
  /// - Throws: `ComputeError`; `BenchmarkError.disagreement` where another output comes out.
  init(_ subject: Subject, runs: Int, exact: Bool, engine: Engine) throws {
    peer = exact ? "aviary exact" : "aviary"
    work = subject.work
    threads = engine.threads
    let graph = subject.graph
    let multiplyAdds = try graph.multiplyAdds(for: [work.shape]).reduce(0, +)
    if work.kind == .train {
      var training = try Training(subject, exact: exact, engine: engine)
      planningMilliseconds = training.planningMilliseconds
      times = try TimedRuns(runs) { try training.step() }
      (arenaBytes, difference) = (nil, nil)
      // The gradients by inputs and by weights take as many again, each.
      self.multiplyAdds = 3 * multiplyAdds
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    var plan = try Plan(
      graph, weights: PackedWeights(subject.weights), inputShapes: [work.shape],
      options: Measurement.options(exact: exact, work), engine: engine)
    planningMilliseconds = (clock.now - start).milliseconds
    let inputs = [graph.inputs[0].name: subject.input]
    guard let output = try plan.run(inputs).first?.value else {
      throw BenchmarkError.output(network: work.network)
    }
    let difference = subject.difference(of: output)
    let allowed = Measurement.allowedDifference(work)
    guard difference <= allowed else {
      throw BenchmarkError.disagreement(
        work: work.title, difference: difference, allowed: allowed)
    }
    times = try TimedRuns(runs) { _ = try plan.run(inputs) }
    (arenaBytes, self.difference) = (plan.arenaBytes, difference)
    self.multiplyAdds = multiplyAdds
  }

  /// One line, with the members that the peers' lines have and more.
  var json: JSON {
    var members: [String: JSON] = [
      "peer": .string(peer), "network": .string(work.network), "work": .string(work.name),
      "milliseconds": .number(times.median.rounded(to: 3)),
      "fastest": .number(times.fastest.rounded(to: 3)),
      "planning_milliseconds": .number(planningMilliseconds.rounded(to: 1)),
      "threads": .int(threads),
      "gmac_per_second": .number((multiplyAdds / times.median / 1e6).rounded(to: 1)),
    ]
    if let arenaBytes { members["arena_bytes"] = .int(arenaBytes) }
    if let difference { members["difference"] = .number(difference) }
    return .object(members)
  }
}
