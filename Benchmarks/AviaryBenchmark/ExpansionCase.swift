internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport
internal import AviaryThreads
internal import CLoops

/// An operation of the engine's at a size, and a loop in C as one would write it by hand.
struct ExpansionCase {
  let name: String
  let op: Op
  /// That of the only input.
  let shape: [Int]
  /// How many parts the loop's work has.
  let parts: Int
  /// Does parts of the work: takes input, result, weight and bias.
  let loop:
    (
      UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafePointer<Float>,
      UnsafePointer<Float>, Range<Int>
    ) -> Void

  /// How many times as long as the loop the engine may take.
  static let bar = 1.5

  /// What has a loop.
  static let all: [ExpansionCase] = [
    ExpansionCase(
      name: "layer normalisation over channels", op: LayerNormalization(first: 1).op,
      shape: [1, 64, 256, 256], parts: 256 * 256
    ) { x, y, weight, bias, range in
      unsafe loop_normalize_channels(
        x, y, weight, bias, 64, 256 * 256, 1e-5, range.lowerBound, range.upperBound)
    },
    ExpansionCase(
      name: "group normalisation, 8 groups", op: GroupNormalization(groups: 8).op,
      shape: [1, 64, 256, 256], parts: 8
    ) { x, y, weight, bias, range in
      unsafe loop_normalize_groups(
        x, y, weight, bias, 8, 256 * 256, 1e-5, range.lowerBound, range.upperBound)
    },
    ExpansionCase(
      name: "softmax", op: .softmax(Softmax(dimension: 3)), shape: [1, 1024, 64, 64],
      parts: 1024 * 64
    ) { x, y, _, _, range in
      unsafe loop_softmax(x, y, 64, range.lowerBound, range.upperBound)
    },
  ]

  /// Times both in turns.
  ///
  /// - Returns: the fastest run of each, in milliseconds; of the engine's the operation alone,
  ///   without copies of input and output.
  /// - Throws: `ComputeError`; `BenchmarkError.disagreement` where the loop gives something else.
  func times(runs: Int, engine: Engine) throws -> (loop: Double, engine: Double) {
    let graph = try Graph(
      inputs: [Graph.Input("x", channels: shape[1])],
      nodes: [
        Graph.Node("n", op, inputs: [0], parameters: op.slotSuffixes.map { "n.\($0)" })
      ], outputs: [Graph.Output("y", value: 1)])
    let weights = randomWeights(for: graph, seed: 1)
    let input = randomTensor(shape, seed: 2)
    var plan = try Plan(
      graph, weights: PackedWeights(weights), inputShapes: [shape], engine: engine)
    let workers = ThreadPool.reserve(engine.threads)
    let (x, weight, bias) = (
      input.floats, weights["n.weight"]?.floats ?? [], weights["n.bias"]?.floats ?? []
    )
    var result = [Float](repeating: 0, count: x.count)
    let clock = ContinuousClock()
    var (loop, own) = (Double.infinity, Double.infinity)
    for _ in 0..<(runs + BenchmarkOptions.warmUps) {
      let durations = try plan.durations(["x": input])
      own = min(own, durations.reduce(Duration.zero, +).milliseconds)
      let start = clock.now
      unsafe x.withUnsafeBufferPointer { x in
        unsafe weight.withUnsafeBufferPointer { weight in
          unsafe bias.withUnsafeBufferPointer { bias in
            unsafe result.withUnsafeMutableBufferPointer { y in
              guard let source = x.baseAddress, let target = y.baseAddress else { return }
              // Operations without weights have no use for these.
              let first = unsafe weight.baseAddress ?? source
              let second = unsafe bias.baseAddress ?? source
              workers.split(parts, cost: x.count / parts) { range in
                unsafe self.loop(source, target, first, second, range)
              }
            }
          }
        }
      }
      loop = min(loop, (clock.now - start).milliseconds)
    }
    let found = try plan.run(["x": input])["y"]?.floats ?? []
    let difference = zip(result, found).reduce(0.0) { max($0, abs(Double($1.0) - Double($1.1))) }
    guard found.count == result.count, difference <= 1e-4 else {
      throw BenchmarkError.disagreement(work: name, difference: difference, allowed: 1e-4)
    }
    return (loop, own)
  }
}
