internal import Aviary
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport
internal import AviaryThreads
internal import CBenchmarkLoops

/// A small network, and the loop that somebody would write by hand for it.
@safe struct ExpansionCase {
  let name: String
  let graph: Graph
  /// The shapes of the inputs.
  let shapes: [[Int]]
  /// Of how many elements the output is made at a time, and how many such pieces there are.
  let pieces: (count: Int, size: Int)
  let loop:
    @convention(c) (
      UnsafePointer<UnsafePointer<Float>?>?, UnsafeMutablePointer<Float>?, Int, Int
    ) -> Void

  /// The most that the engine may take of the loop's time.
  static let bar = 1.5
  /// How far results may be apart, as a part of the largest: the loop's formulas are rougher.
  static let tolerance = 1e-5

  /// Times both in turns, what makes memory for the result included.
  ///
  /// - Returns: the fastest run of each, in milliseconds, and how far their results are apart.
  /// - Throws: `ComputeError`, `TensorError`.
  func times(
    runs: Int, _ engine: Engine, _ workers: ThreadPool
  ) throws -> (loop: Double, ours: Double, difference: Double) {
    var inputs: [String: Tensor] = [:]
    for (position, input) in graph.inputs.enumerated() {
      inputs[input.name] = randomTensor(shapes[position], seed: UInt64(position))
    }
    var plan = try Plan(
      graph, weights: PackedWeights([:]), inputShapes: shapes, engine: engine)
    let operands = graph.inputs.compactMap { inputs[$0.name] }
    let shape = plan.outputShapes.values.first ?? []
    let clock = ContinuousClock()
    var fastest = (loop: Double.infinity, ours: Double.infinity)
    var difference = 0.0
    for run in 0..<(runs + BenchmarkOptions.warmUps) {
      var start = clock.now
      let outputs = try plan.run(inputs)
      fastest.ours = min(fastest.ours, (clock.now - start).milliseconds)
      start = clock.now
      var result = try Tensor(zeros: shape)
      unsafe calculate(operands[...], [], to: &result, workers)
      fastest.loop = min(fastest.loop, (clock.now - start).milliseconds)
      if run == 0, let output = outputs.values.first {
        difference = Agreement(output, expected: result).relative
      }
    }
    return (fastest.loop, fastest.ours, difference)
  }

  /// Runs the loop, its pieces divided among threads.
  private func calculate(
    _ operands: ArraySlice<Tensor>, _ places: [UnsafePointer<Float>?], to result: inout Tensor,
    _ workers: ThreadPool
  ) {
    if let first = operands.first {
      unsafe first.withUnsafeBytes { bytes in
        unsafe calculate(
          operands.dropFirst(), places + [bytes.bindMemory(to: Float.self).baseAddress],
          to: &result, workers)
      }
      return
    }
    let (count, size) = pieces
    unsafe result.withUnsafeMutableBytes { bytes in
      let to = unsafe bytes.bindMemory(to: Float.self).baseAddress
      unsafe places.withUnsafeBufferPointer { places in
        let from = places.baseAddress
        workers.split(count, cost: size) { range in
          unsafe loop(from, to, range.lowerBound * size, range.upperBound * size)
        }
      }
    }
  }
}
