import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// How far a plan's result is from the oracle's, as a part of the oracle's largest value.
struct Comparison {
  var largestError = 0.0
  var steps: [PlanStep]

  /// Runs a graph on random inputs and weights.
  ///
  /// - Parameters:
  ///   - shapes: the inputs' shapes, in the graph's order.
  ///   - values: what the inputs' values are drawn from.
  init(
    _ graph: Graph, _ shapes: [[Int]], of values: ClosedRange<Float> = -1...1, seed: UInt64 = 1,
    options: PlanOptions = PlanOptions(),
    engine: Engine? = nil
  ) throws {
    let weights = randomWeights(for: graph, seed: seed)
    var generator = SplitMix64(seed: seed &+ 1)
    var inputs: [String: Tensor] = [:]
    for (input, shape) in zip(graph.inputs, shapes) {
      inputs[input.name] = generator.tensor(shape, in: values)
    }
    var plan = try Plan(
      graph, weights: PackedWeights(weights), inputShapes: shapes, options: options,
      engine: engine ?? Engine())
    steps = plan.steps
    let expected = try naive(graph, weights: weights, inputs: inputs)
    // Twice: nothing may be left over from the first run, and inputs stay as they are.
    _ = try plan.run(inputs)
    let found = try plan.run(inputs)
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, tensor) in expected {
      largestError = max(
        largestError, Agreement(try #require(found[name]), expected: tensor).relative)
    }
  }
}

/// Checks a convolution by itself, to 1e-5, and says whether it was done by an algorithm.
///
/// - Parameter shape: the input's.
func isDone(
  _ c: Convolution, _ shape: [Int], by algorithm: String, threads: Int,
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> Bool {
  let comparison = try Comparison(
    Graph(of: .convolution(c), channels: [shape[1]]), [shape], engine: Engine(threads: threads))
  #expect(
    comparison.largestError <= 1e-5, "\(c) of \(shape), \(threads) threads",
    sourceLocation: sourceLocation)
  return comparison.steps.contains { $0.operation == "convolution (\(algorithm))" }
}

/// Checks that a plan gives what the oracle gives, to 1e-5 of the largest value.
func expectEqual(
  _ graph: Graph, _ shapes: [[Int]], of values: ClosedRange<Float> = -1...1,
  tolerance: Double = 1e-5, options: PlanOptions = PlanOptions(),
  _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) throws {
  do {
    let comparison = try Comparison(graph, shapes, of: values, options: options)
    #expect(
      comparison.largestError <= tolerance, "\(what) \(shapes): \(comparison.steps)",
      sourceLocation: sourceLocation)
  } catch let error as ComputeError {
    Issue.record("\(what) \(shapes): \(error)", sourceLocation: sourceLocation)
  }
}

/// Checks an operation by itself.
///
/// - Parameter others: shapes of further inputs of the operation.
func expectEqual(
  _ op: Op, _ shape: [Int], others: [[Int]] = [], tolerance: Double = 1e-5,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let graph = try Graph(of: op, channels: [shape[1]] + others.map { $0[1] })
  try expectEqual(
    graph, [shape] + others, tolerance: tolerance, "\(op)", sourceLocation: sourceLocation)
}

/// Checks an operation by itself, and between convolutions that have its input and its result lie
/// in every memory format in turn.
func expectEqualInEveryLayout(
  _ op: Op, _ shape: [Int], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expectEqual(op, shape, sourceLocation: sourceLocation)
  let output = try op.outputShape([shape])
  // Depthwise convolutions keep few channels in channelsLast; Winograd's want blocks.
  for groups in [1, shape[1]] {
    let graph = try Graph(
      of: [
        .convolution(Convolution(outChannels: shape[1], kernel: 3, groups: groups, padding: .same)),
        op,
        .convolution(
          Convolution(
            outChannels: output[1], kernel: 3, groups: groups == 1 ? 1 : output[1], padding: .same)),
      ], channels: shape[1])
    try expectEqual(graph, [shape], "\(op) between convolutions", sourceLocation: sourceLocation)
  }
}

extension Graph {
  /// A graph of one operation with an input for each of its operands.
  init(of op: Op, channels: [Int]) throws {
    let inputs = channels.enumerated().map { Input("input_\($0)", channels: $1) }
    try self.init(
      inputs: inputs,
      nodes: [
        Node(
          "node", op, inputs: Array(inputs.indices),
          parameters: op.slotSuffixes.map { "node.\($0)" })
      ], outputs: [Output("output", value: inputs.count)])
  }

  /// A graph of operations one after another.
  init(of ops: [Op], channels: Int) throws {
    try self.init(
      inputs: [Input("input_0", channels: channels)],
      nodes: ops.enumerated().map { i, op in
        Node("node_\(i)", op, inputs: [i], parameters: op.slotSuffixes.map { "node_\(i).\($0)" })
      }, outputs: [Output("output", value: ops.count)])
  }
}
