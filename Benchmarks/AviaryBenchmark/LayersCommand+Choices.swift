internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

extension LayersCommand {
  /// Prints where choices by measurement differ from those by estimate, what timing took, and how
  /// long the whole network takes by either, one run of each in turn.
  func compareChoices(
    _ subject: Sample, _ options: PlanOptions, _ engine: Engine
  ) throws {
    let clock = ContinuousClock()
    var measuredOptions = options
    let tuning = Tuning(.always)
    measuredOptions.tuning = tuning
    // Made once before, so that code which both have is generated for neither.
    let (estimatedChoices, _) = try choices(subject, options, engine)
    let start = clock.now
    let (measuredChoices, expected) = try choices(subject, measuredOptions, engine)
    let taken = clock.now - start
    print("| layer | by estimate | by measurement |")
    print("|---|---|---|")
    for (estimate, measurement) in zip(estimatedChoices, measuredChoices)
    where estimate != measurement {
      print("| \(estimate.layer) | \(estimate.mode) | \(measurement.mode) |")
    }
    let times = try runs(subject, [options, measuredOptions], engine)
    let (a, b) = (times[0], times[1])
    print(
      "\(tuning.timingCount) timings in \(taken.milliseconds.text(0)) ms;"
        + " expected \((expected * 1e3).text(2)) ms")
    print(
      "estimates: median \(a.median.text(2)) ms, fastest \((a.min() ?? .nan).text(2)); "
        + "measurements: median \(b.median.text(2)), fastest \((b.min() ?? .nan).text(2)); ratio of "
        + "medians \((a.median / b.median).text(3)), of fastest "
        + "\(((a.min() ?? .nan) / (b.min() ?? .nan)).text(3))")
  }

  private func choices(
    _ subject: Sample, _ options: PlanOptions, _ engine: Engine
  ) throws -> ([PlanChoice], Double) {
    if training {
      let plan = try trainingPlan(subject, options, engine)
      return (plan.choices, plan.expectedSeconds)
    }
    let plan = try plan(subject, PreparedWeights(subject.weights), options, engine)
    return (plan.choices, plan.expectedSeconds)
  }

  /// The milliseconds of runs, one plan after the other in turn.
  private func runs(
    _ subject: Sample, _ options: [PlanOptions], _ engine: Engine
  ) throws -> [[Double]] {
    let inputs = [subject.graph.inputs[0].name: subject.input]
    var times: [[Double]] = [[], []]
    func run(_ body: (Int) throws -> Void) rethrows {
      let clock = ContinuousClock()
      for round in 0...runs {
        for way in 0..<2 {
          let start = clock.now
          try body(way)
          // The first finds pages and code for the first time.
          if round > 0 { times[way].append((clock.now - start).milliseconds) }
        }
      }
    }
    if training {
      var first = try trainingPlan(subject, options[0], engine)
      var second = try trainingPlan(subject, options[1], engine)
      try run {
        _ =
          try $0 == 0
          ? first.durations(inputs, parameters: subject.weights)
          : second.durations(inputs, parameters: subject.weights)
      }
    } else {
      let weights = PreparedWeights(subject.weights)
      var first = try plan(subject, weights, options[0], engine)
      var second = try plan(subject, weights, options[1], engine)
      try run { _ = try $0 == 0 ? first.run(inputs) : second.run(inputs) }
    }
    return times
  }

  private func plan(
    _ subject: Sample, _ weights: PreparedWeights, _ options: PlanOptions, _ engine: Engine
  ) throws -> Plan {
    try Plan(
      subject.graph, weights: weights, inputShapes: [shape], options: options, engine: engine)
  }

  private func trainingPlan(
    _ subject: Sample, _ options: PlanOptions, _ engine: Engine
  ) throws -> TrainingPlan {
    try TrainingPlan(subject.graph, inputShapes: [shape], options: options, engine: engine)
  }
}

/// A network, weights and an input of any numbers.
struct Sample {
  let graph: Graph
  let weights: [String: Tensor]
  let input: Tensor
}
