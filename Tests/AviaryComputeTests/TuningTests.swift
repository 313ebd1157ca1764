import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Synchronization
import Testing

/// Plans that choose by what was measured.
@Suite struct TuningTests {
  /// Networks with all that there are several ways for.
  static let networks: [String: @Sendable () throws -> Graph] = [
    "residual": { try NetworkTests.residualCAE([16, 32]) },
    "few channels": {
      try Graph(channels: 1) { x in
        let a = x.convolution("a", 32, kernel: 5).relu().maxPool(2)
        let b = a.convolution("b", 32, kernel: 3) + a
        let c = b.transposedConvolution("c", 16, kernel: 2, stride: 2).resize(.linear, by: 2)
        return [c.convolution("d", 4, kernel: 3).pixelShuffle(2), b.convolution("e", 1, kernel: 3)]
      }
    },
    "kept summands": {
      try Graph(channels: 32) { x in
        let a = x.convolution("a", 32, kernel: 3).relu()
        let b = (a.convolution("b", 32, kernel: 3) + a).relu()
        return [(b.convolution("c", 32, kernel: 3) + a).relu() + b]
      }
    },
  ]

  private func channels(_ graph: Graph) -> [Int] { [2, graph.inputs[0].channels, 14, 12] }

  @Test(
    "whatever is chosen for a layer, the result is the oracle's",
    arguments: networks.keys.sorted(), Precision.allCases)
  func everyMode(_ name: String, _ precision: Precision) throws {
    guard precision == .float32 || Engine.hasBfloat16 else { return }
    let make = try #require(TuningTests.networks[name])
    let graph = try make()
    let shape = channels(graph), engine = try Engine(threads: 2)
    var options = PlanOptions(precision: precision)
    let candidates = try Plan.candidates(
      graph, inputShapes: [shape], options: options, engine: engine)
    #expect(candidates.contains { $0.count > 2 })
    let best = candidates.map { $0[0] }
    for (position, ways) in candidates.enumerated() {
      for way in ways where precision == .float32 || way.candidate.contains("bfloat16") {
        options.choices = best
        options.choices[position] = way
        let plan = try Plan(
          graph, weights: PackedWeights(randomWeights(for: graph, seed: 1)),
          inputShapes: [shape], options: options, engine: engine)
        #expect(plan.choices == options.choices)
        let error = try Comparison(graph, [shape], options: options, engine: engine).largestError
        // Products of numbers of eight bits are within 2^-8.
        #expect(error <= (precision == .float32 ? 1e-5 : 0.02), "\(way)")
      }
    }
  }

  @Test func exactLeavesOutWinograd() throws {
    let graph = try NetworkTests.residualCAE([32, 32])
    let engine = try Engine(threads: 1)
    func candidates(_ exact: Bool) throws -> [String] {
      try Plan.candidates(
        graph, inputShapes: [[1, 3, 32, 32]], options: PlanOptions(exact: exact), engine: engine
      ).joined().map(\.candidate)
    }
    #expect(try !candidates(true).contains { $0.contains("winograd") })
    // Where the processor has blocks for it.
    let nChw16c = try candidates(true).contains { $0.contains("nChw16c") }
    #expect(try candidates(false).contains { $0.contains("winograd") } == nChw16c)
  }

  @Test("what was timed is not timed again, neither in this process nor in another")
  func once() throws {
    let graph = try NetworkTests.residualCAE([16, 32])
    let store = MemoryStore()
    let tuning = Tuning(.always, store: store)
    let options = PlanOptions(tuning: tuning)
    try expectEqual(graph, [[1, 3, 20, 24]], options: options)
    let count = tuning.timingCount
    #expect(count > 10)
    try expectEqual(graph, [[1, 3, 20, 24]], options: options)
    #expect(tuning.timingCount == count)
    // Another size is another matter.
    try expectEqual(graph, [[1, 3, 16, 16]], options: options)
    #expect(tuning.timingCount > count)

    let other = Tuning(.always, store: store)
    try expectEqual(graph, [[1, 3, 20, 24]], options: PlanOptions(tuning: other))
    #expect(other.timingCount == 0)
    // On other numbers of threads, other ways are the fastest.
    let engine = try Engine(threads: 3)
    _ = try Plan.expectedSeconds(
      graph, inputShapes: [[1, 3, 20, 24]], options: PlanOptions(tuning: other), engine: engine)
    #expect(other.timingCount > 0)
  }

  @Test("equal layers are timed once")
  func equalLayers() throws {
    func count(_ layers: Int) throws -> Int {
      let graph = try Graph(channels: 16) { x in
        var y = x
        for i in 0..<layers { y = y.convolution("\(i)", 16, kernel: 3).relu() }
        return [y]
      }
      let tuning = Tuning(.always)
      _ = try Plan.expectedSeconds(
        graph, inputShapes: [[1, 16, 16, 16]], options: PlanOptions(tuning: tuning),
        engine: Engine(threads: 1))
      return tuning.timingCount
    }
    #expect(try count(2) == count(5))
  }

  @Test("timing is for work that is long enough, unless always, and never for work of no runs")
  func whenItPays() throws {
    let graph = try NetworkTests.residualCAE([16, 32])
    let engine = try Engine(threads: 1)
    func count(_ policy: Tuning.Policy, runs: Int) throws -> Int {
      let tuning = Tuning(policy)
      _ = try Plan.expectedSeconds(
        graph, inputShapes: [[1, 3, 32, 32]],
        options: PlanOptions(tuning: tuning, runsAhead: runs), engine: engine)
      return tuning.timingCount
    }
    #expect(try count(.auto, runs: 1) == 0)
    #expect(try count(.auto, runs: 1_000_000) > 10)
    #expect(try count(.always, runs: 1) > 10)
    #expect(try count(.always, runs: 0) == 0)
    let tuning = Tuning(.always)
    _ = try Plan.arenaBytes(
      graph, inputShapes: [[1, 3, 32, 32]], options: PlanOptions(tuning: tuning), engine: engine)
    #expect(tuning.timingCount == 0)
  }

  @Test("a store that tells nonsense is passed over line by line")
  func nonsense() throws {
    let graph = try NetworkTests.residualCAE([16, 32])
    let store = MemoryStore()
    let options = PlanOptions(tuning: Tuning(.always, store: store))
    try expectEqual(graph, [[1, 3, 20, 24]], options: options)
    let text = try #require(store.load())
    let lines = text.split(separator: "\n")
    for damage in ["nan", "inf", "-1", "0", "1e300", "", "x", "1\t2"] {
      let damaged = MemoryStore(
        lines.map { "\($0.split(separator: "\t")[..<2].joined(separator: "\t"))\t\(damage)" }
          .joined(separator: "\n"))
      let tuning = Tuning(.always, store: damaged)
      try expectEqual(graph, [[1, 3, 20, 24]], options: PlanOptions(tuning: tuning))
      #expect(tuning.timingCount > 10, "\(damage)")
    }
    for text in [
      "", "\n\n", "\t\t\t", String(repeating: "a\tb\t1\n", count: 30_000), "\u{0}\u{FFFD}",
    ] {
      try expectEqual(
        graph, [[1, 3, 20, 24]], options: PlanOptions(tuning: Tuning(store: MemoryStore(text))))
    }
  }

  @Test("training is as right by measurement as by estimate, and its choices can be had again")
  func training() throws {
    let graph = try NetworkTests.residualCAE([16, 32])
    let engine = try Engine(threads: 2)
    var options = PlanOptions(tuning: Tuning(.always))
    func steps(_ options: PlanOptions) throws -> (choices: [PlanChoice], steps: [PlanStep]) {
      let plan = try TrainingPlan(
        graph, inputShapes: [[2, 3, 16, 16]], options: options, engine: engine)
      #expect(plan.expectedSeconds > 0)
      return (plan.choices, plan.steps)
    }
    let measured = try steps(options)
    #expect(
      try TrainingPlan.choices(
        graph, inputShapes: [[2, 3, 16, 16]], options: options, engine: engine)
        == measured.choices)
    options.tuning = nil
    options.choices = measured.choices
    #expect(try steps(options) == measured)
    // Of another network, or another processor: as if there were none.
    options.choices[0].candidate = "spiral>spiral direct float32"
    #expect(try steps(options) == steps(PlanOptions()))
    options.choices.removeLast()
    #expect(try steps(options) == steps(PlanOptions()))
  }

  @Test("a larger image is expected to take longer")
  func expectedTimes() throws {
    let graph = try NetworkTests.residualCAE([16, 32])
    let engine = try Engine(threads: 1)
    for tuning in [nil, Tuning(.always)] {
      let seconds = try [32, 128].map { side in
        try Plan.expectedSeconds(
          graph, inputShapes: [[1, 3, side, side]], options: PlanOptions(tuning: tuning),
          engine: engine)
      }
      #expect(0 < seconds[0] && 4 * seconds[0] < seconds[1])
    }
  }
}

/// Keeps findings in memory.
private final class MemoryStore: TuningStore {
  private let text: Mutex<String?>

  init(_ text: String? = nil) { self.text = Mutex(text) }

  func load() -> String? { text.withLock(\.self) }
  func update(_ change: (String?) -> String) { text.withLock { $0 = change($0) } }
}
