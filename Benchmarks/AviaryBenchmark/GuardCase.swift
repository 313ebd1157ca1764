internal import Aviary
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport

/// Two ways to the same or to comparable work, of which one has to be faster by a certain factor:
/// what the engine's own kernels and passes were made for. Only their ratio is looked at.
struct GuardCase {
  /// A network at a size, and how it is computed.
  struct Way {
    let name: String
    let graphs: [Graph]
    /// N, height and width.
    let size: [Int]
    var options = PlanOptions()
  }

  /// What is guarded.
  let name: String
  /// What it is held against.
  let other: Way
  /// What has to be faster.
  let ours: Way
  /// The least ratio of the other's time to ours.
  let bar: Double

  /// Times both in turns.
  ///
  /// - Returns: the fastest run of each, in milliseconds: what a machine would take that does
  ///   nothing else. A way of several networks is the sum of them.
  /// - Throws: `ComputeError`.
  func times(runs: Int, engine: Engine) throws -> (other: Double, ours: Double) {
    let others = try other.graphs.map { try OnePlan($0, other, engine) }
    let own = try ours.graphs.map { try OnePlan($0, ours, engine) }
    for _ in 0..<(runs + BenchmarkOptions.warmUps) {
      for plan in others { try plan.run() }
      for plan in own { try plan.run() }
    }
    return (others.reduce(0) { $0 + $1.fastest }, own.reduce(0) { $0 + $1.fastest })
  }
}

/// A plan that is timed; a class, for plans cannot be copied into an array.
private final class OnePlan {
  private var plan: Plan
  private let inputs: [String: Tensor]
  private(set) var fastest = Double.infinity

  init(_ graph: Graph, _ way: GuardCase.Way, _ engine: Engine) throws {
    let shapes = graph.inputs.map { [way.size[0], $0.channels, way.size[1], way.size[2]] }
    inputs = Dictionary(
      zip(graph.inputs, shapes).enumerated().map {
        ($1.0.name, randomTensor($1.1, seed: UInt64($0)))
      }
    ) { $1 }
    plan = try Plan(
      graph, weights: PackedWeights(randomWeights(for: graph, seed: 1)), inputShapes: shapes,
      options: way.options, engine: engine)
  }

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    _ = try plan.run(inputs)
    fastest = min(fastest, (clock.now - start).milliseconds)
  }
}
