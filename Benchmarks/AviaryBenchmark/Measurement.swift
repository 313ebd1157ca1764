internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// What one network at one size took.
struct Measurement {
  /// "aviary", or "aviary exact" without Winograd's algorithm.
  let peer: String
  let work: Work
  /// Of each run, in the order of the runs.
  let milliseconds: [Double]
  /// From graph and weights to the first plan, weights reordered and code generated.
  let planningMilliseconds: Double
  /// Nil for trainings.
  let arenaBytes: Int?
  let threads: Int
  /// Multiplications and additions, counted as one, of all pictures of the batch, in 10^9.
  let gigaMultiplyAdds: Double
  /// From PyTorch's output, as a part of its largest value.
  let difference: Double?

  /// Runs that are not timed: caches and the processor's clock settle.
  private static let warmUps = 3
  /// What two implementations of the same arithmetic may differ by.
  private static let allowedDifference = 1e-4

  /// Plans once, warms up, and times.
  ///
  /// - Throws: `ComputeError`; `BenchmarkError.disagreement` where PyTorch's output is known and
  ///   another one comes out.
  init(_ subject: Subject, runs: Int, exact: Bool, engine: Engine) throws {
    peer = exact ? "aviary exact" : "aviary"
    work = subject.work
    threads = engine.threads
    let multiplyAdds =
      try Double(work.shape[0]) / 1e9
      * subject.graph.multiplyAdds(height: work.shape[2], width: work.shape[3])
    if work.isTraining {
      var training = try Training(subject, exact: exact, engine: engine)
      planningMilliseconds = training.planningMilliseconds
      milliseconds = try Measurement.time(runs) { try training.step() }
      (arenaBytes, difference) = (nil, nil)
      // The gradients by inputs and by weights take as many again, each.
      gigaMultiplyAdds = 3 * multiplyAdds
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    var plan = try Plan(
      subject.graph, weights: PreparedWeights(subject.weights),
      inputShapes: [subject.work.shape], options: PlanOptions(exact: exact), engine: engine)
    planningMilliseconds = (clock.now - start).milliseconds

    let inputs = [subject.graph.inputs[0].name: subject.input]
    guard let output = try plan.run(inputs).first?.value else {
      throw BenchmarkError.output(network: subject.work.network)
    }
    difference = subject.difference(of: output)
    if let difference, !(difference <= Measurement.allowedDifference) {
      throw BenchmarkError.disagreement(
        work: "\(subject.work.network) \(subject.work.size)", difference: difference,
        allowed: Measurement.allowedDifference)
    }
    milliseconds = try Measurement.time(runs) { _ = try plan.run(inputs) }
    arenaBytes = plan.arenaBytes
    gigaMultiplyAdds = multiplyAdds
  }

  /// The times of runs, after some that do not count.
  private static func time(_ runs: Int, _ body: () throws -> Void) rethrows -> [Double] {
    for _ in 0..<warmUps { try body() }
    let clock = ContinuousClock()
    return try (0..<runs).map { _ in
      let start = clock.now
      try body()
      return (clock.now - start).milliseconds
    }
  }

  /// One line, with the members that the peers' lines have and more.
  var json: JSON {
    let median = milliseconds.median
    var members: [String: JSON] = [
      "peer": .string(peer), "network": .string(work.network), "work": .string(work.name),
      "milliseconds": .number(median.rounded(to: 3)),
      "fastest": .number((milliseconds.min() ?? median).rounded(to: 3)),
      "planning_milliseconds": .number(planningMilliseconds.rounded(to: 1)),
      "threads": .int(threads),
      "gmac_per_second": .number((gigaMultiplyAdds / median * 1e3).rounded(to: 1)),
    ]
    if let arenaBytes { members["arena_bytes"] = .int(arenaBytes) }
    if let difference { members["difference"] = .number(difference) }
    return .object(members)
  }
}
