import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// How far a plan's result is from the oracle's, as a part of the oracle's largest value.
struct Comparison {
  var largestError: Double
  var steps: [PlanStep]

  /// Runs a graph on random inputs and weights.
  ///
  /// - Parameter shapes: the inputs' shapes, in the graph's order.
  init(
    _ graph: Graph, _ shapes: [[Int]], seed: UInt64 = 1, options: PlanOptions = PlanOptions(),
    engine: Engine = Comparison.engine
  ) throws {
    let weights = randomWeights(for: graph, seed: seed)
    var generator = SplitMix64(seed: seed &+ 1)
    var inputs: [String: Tensor] = [:]
    for (input, shape) in zip(graph.inputs, shapes) {
      inputs[input.name] = generator.tensor(shape)
    }
    var plan = try Plan(
      graph, weights: PreparedWeights(weights), inputShapes: shapes, options: options,
      engine: engine)
    steps = plan.steps
    let expected = try naive(graph, weights: weights, inputs: inputs)
    // Twice: nothing may be left over from the first run.
    _ = try plan.run(inputs)
    let found = try plan.run(inputs)
    #expect(Set(found.keys) == Set(expected.keys))
    largestError = 0
    for (name, tensor) in expected {
      let result = try #require(found[name])
      #expect(result.shape == tensor.shape)
      let scale = tensor.floats.reduce(0) { max($0, Double($1.magnitude)) }
      for (a, b) in zip(result.floats, tensor.floats) {
        let error = (Double(a) - Double(b)).magnitude / max(scale, 1e-30)
        // Not `max`, which would lose a NaN.
        if !(error <= largestError) { largestError = error }
      }
    }
  }

  /// One engine for all tests, on as many threads as there are.
  static let engine: Engine = {
    do {
      return try Engine()
    } catch {
      preconditionFailure("\(error)")
    }
  }()
}

/// Checks that a plan of one operation gives what the oracle gives, to 1e-5 of the largest value.
///
/// - Parameters:
///   - channels: those of the first input.
///   - others: shapes of further inputs of the operation.
func expectEqual(
  _ op: Op, _ shape: [Int], others: [[Int]] = [], tolerance: Double = 1e-5,
  options: PlanOptions = PlanOptions(), sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let graph = try Graph(of: op, channels: shape[1], others: others.map { $0[1] })
  do {
    let comparison = try Comparison(graph, [shape] + others, options: options)
    #expect(
      comparison.largestError <= tolerance, "\(op) on \(shape): \(comparison.steps)",
      sourceLocation: sourceLocation)
  } catch let error as ComputeError {
    Issue.record("\(op) on \(shape): \(error)", sourceLocation: sourceLocation)
  }
}

extension Graph {
  /// A graph of one operation.
  init(of op: Op, channels: Int, others: [Int] = []) throws {
    let inputs = [Input("input", channels: channels)]
      + others.enumerated().map { Input("input_\($0)", channels: $1) }
    // The suffixes of the parameters' names; those that the operation does not have are left out.
    var names: [String] = []
    switch op {
    case .convolution(let c): names = ["weight"] + (c.bias ? ["bias"] : [])
    case .transposedConvolution(let c): names = ["weight"] + (c.bias ? ["bias"] : [])
    case .linear(_, let bias): names = ["weight"] + (bias ? ["bias"] : [])
    case .batchNormalization(let b):
      names = (b.scale ? ["weight"] : []) + (b.center ? ["bias"] : [])
        + ["running_mean", "running_var", "num_batches_tracked"]
    case .prelu: names = ["weight"]
    case .layerNormalization: names = ["weight", "bias"]
    default: break
    }
    try self.init(
      inputs: inputs,
      nodes: [
        Node(
          "node", op, inputs: Array(inputs.indices), parameters: names.map { "node.\($0)" })
      ], outputs: [Output("output", value: inputs.count)])
  }
}
