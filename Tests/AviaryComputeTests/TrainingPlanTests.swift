import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// The backward pass of a training, held against the forward pass: a network that is linear in each
/// of its parameters and inputs changes by exactly what the gradient says, however far one goes.
@Suite("training plans")
struct TrainingPlanTests {
  /// Checks the gradients by all parameters and inputs, for outputs weighted at random.
  private func expectGradients(
    _ graph: Graph, _ shape: [Int], _ options: PlanOptions = PlanOptions(),
    tolerance: Double = 1e-4, forwardTolerance: Double = 1e-5,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var plan = try TrainingPlan(
      graph, inputShapes: [shape], gradientsOf: [.parameters, .inputs], options: options,
      engine: Engine())
    var generator = SplitMix64(seed: 7)
    let parameters = randomWeights(for: graph, seed: 5)
    let inputs = [graph.inputs[0].name: generator.tensor(shape)]
    var seeds: [String: Tensor] = [:]
    for (name, shape) in plan.outputShapes.sorted(by: { $0.key < $1.key }) {
      seeds[name] = generator.tensor(shape)
    }
    func loss(_ parameters: [String: Tensor], _ inputs: [String: Tensor]) throws -> Double {
      let outputs = try naive(graph, weights: parameters, inputs: inputs)
      return seeds.reduce(0) { sum, seed in
        sum
          + zip(outputs[seed.key]?.floats ?? [], seed.value.floats)
          .reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
    }
    let forward = try plan.forward(inputs, parameters: parameters).outputs
    for (name, tensor) in try naive(graph, weights: parameters, inputs: inputs) {
      let found = try #require(forward[name])
      #expect(
        Agreement(found, expected: tensor).relative <= forwardTolerance,
        sourceLocation: sourceLocation)
    }
    let gradients = try plan.backward(seeds)
    #expect(!plan.steps.contains { $0.implementation.hasPrefix("ref") })
    let start = try loss(parameters, inputs)
    func expect(_ name: String, _ gradient: Tensor, _ step: Tensor, _ end: Double) {
      let expected = end - start
      let products = zip(gradient.floats, step.floats).map { Double($0) * Double($1) }
      let found = products.reduce(0, +)
      let size = products.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(
        abs(found - expected) <= tolerance * max(size, abs(expected)),
        "\(name): expected \(expected), found \(found); \(described(steps))",
        sourceLocation: sourceLocation)
    }
    let steps = plan.steps
    func described(_ steps: [PlanStep]) -> String {
      steps.map { "\($0.name) \($0.operation) \($0.implementation)" }.joined(separator: "; ")
    }
    for (name, gradient) in gradients.parameters {
      let parameter = try #require(parameters[name])
      let step = generator.tensor(gradient.shape)
      var changed = parameters
      changed[name] = try Tensor(
        shape: parameter.shape, zip(parameter.floats, step.floats).map { $0 + $1 })
      expect(name, gradient, step, try loss(changed, inputs))
    }
    #expect(gradients.parameters.count == graph.parameters.filter { $0.role == .weight }.count)
    let name = graph.inputs[0].name
    let gradient = try #require(gradients.inputs[name])
    let step = generator.tensor(shape)
    let input = try #require(inputs[name])
    let changed = try Tensor(shape: shape, zip(input.floats, step.floats).map { $0 + $1 })
    expect(name, gradient, step, try loss(parameters, [name: changed]))
  }

  @Test(arguments: [1, 3, 16, 17, 32], [false, true])
  func convolutions(_ width: Int, _ exact: Bool) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3)
      let b = a.convolution("b", width, kernel: 3) + a
      let c = b.convolution("c", width, kernel: 3, stride: 2, bias: false)
      let d = c.convolution("d", width * 2, kernel: 5, stride: 2, padding: .same)
      return [d.convolution("e", 3, kernel: 1), b.convolution("f", 3, kernel: 3, dilation: 2)]
    }
    try expectGradients(graph, [2, 3, 13, 10], PlanOptions(exact: exact))
  }

  @Test(arguments: [1, 3, 16, 17, 32])
  func transposedConvolutions(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.transposedConvolution("a", width, kernel: 3)
      let b = a.transposedConvolution("b", width, kernel: 3, stride: 2)
      let c = b.transposedConvolution("c", width, kernel: 4, stride: 2, bias: false)
      // A kernel smaller than the stride leaves pixels that only the bias reaches.
      let d = a.transposedConvolution(
        "d", width, kernel: 2, stride: 3, padding: .keras(kernel: 2, stride: 3))
      return [c.transposedConvolution("e", 1, kernel: 3), d]
    }
    try expectGradients(graph, [2, 3, 5, 4])
  }

  @Test(arguments: [1, 2, 16])
  func groups(_ groups: Int) throws {
    let graph = try Graph(channels: 16) { x in
      let a = x.convolution("a", 32, kernel: 3, groups: groups)
      return [a.transposedConvolution("b", 16, kernel: 4, stride: 2, groups: groups)]
    }
    try expectGradients(graph, [2, 16, 6, 7])
  }

  /// Convolutions in bfloat16 round what they multiply to 8 bits: half a fused op in the last place
  /// is 0.2 %, of which sums of random terms keep about as much.
  @Test(.enabled(if: Engine.hasBfloat16, "no bfloat16 on this processor"))
  func bfloat16() throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 32, kernel: 3)
      let b = a.convolution("b", 32, kernel: 3, stride: 2)
      let c = b.transposedConvolution("c", 32, kernel: 4, stride: 2) + a
      return [c.transposedConvolution("d", 3, kernel: 3)]
    }
    let options = PlanOptions(exact: true, precision: .bfloat16)
    let plan = try TrainingPlan(
      graph, inputShapes: [[2, 3, 12, 10]], options: options, engine: Engine())
    #expect(plan.steps.contains { $0.implementation.contains("bf16") })
    try expectGradients(
      graph, [2, 3, 12, 10], options, tolerance: 0.02, forwardTolerance: 0.02)
  }

  /// A recursive network: each use of a layer adds to the gradients of its parameters.
  @Test func sharedParameters() throws {
    let graph = try Graph(channels: 16) { x in
      let a = x.convolution("a", 16, kernel: 3)
      return [
        a + x.convolution("b", 16, kernel: 3),
        x.convolution("a", 16, kernel: 3, shared: true),
      ]
    }
    try expectGradients(graph, [1, 16, 6, 7])
  }

  /// Two nodes that have but one of the running statistics in common.
  @Test func partlySharedStatistics() throws {
    let graph = try Graph(
      inputs: [Graph.Input("x", channels: 3)],
      nodes: ["a", "b"].enumerated().map { position, name in
        Graph.Node(
          name, .batchNormalization(BatchNormalization(scale: false, center: false)),
          inputs: [position],
          parameters: ["\(name).running_mean", "running_var", "\(name).num_batches_tracked"])
      }, outputs: [Graph.Output("y", value: 2)])
    let x = randomTensor([2, 3, 2, 2], seed: 4)
    let zero = try Tensor(shape: [3], [0, 0, 0]), one = try Tensor(shape: [3], [1, 1, 1])
    var plan = try TrainingPlan(graph, inputShapes: [x.shape], engine: Engine())
    let moved = try plan.forward(
      ["x": x],
      parameters: ["a.running_mean": zero, "b.running_mean": one, "running_var": one]
    ).statistics
    #expect(moved.count == 3)
    // What the second one is given has mean 0, and variance 1 (8/7 of a sample of eight).
    for mean in try #require(moved["b.running_mean"]).floats { #expect(abs(mean - 0.9) < 1e-6) }
    let values = x.floats
    for (channel, variance) in try #require(moved["running_var"]).floats.enumerated() {
      let mine = values.indices.filter { $0 / 4 % 3 == channel }.map { Double(values[$0]) }
      let mean = mine.reduce(0, +) / 8
      let sum = mine.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let second = sum / 8 / (sum / 8 + BatchNormalization().epsilon) * 8 / 7
      let expected = 0.9 * (0.9 + 0.1 * sum / 7) + 0.1 * second
      #expect(abs(Double(variance) - expected) < 1e-5)
    }
  }

  /// Of several largest pixels the first gets all; pixels without a window get nothing. Numbers are
  /// small integers, of which many are equal, in every memory format and with full and partial
  /// vectors.
  @Test(arguments: [3, 20, 32], [Size(2, 2), Size(3, 2)])
  func maxPoolSideBySide(_ channels: Int, _ window: Size) throws {
    let graph = try Graph(channels: channels) { x in
      [x.applying(.maxPool(MaxPool(Pool(kernel: window, stride: window))))]
    }
    let (height, width) = (7, 5), (rows, columns) = (7 / window.height, 5 / window.width)
    var generator = SplitMix64(seed: 5)
    let values = (0..<2 * channels * height * width).map { _ in
      Float(Int.random(in: 0...3, using: &generator))
    }
    let x = try Tensor(shape: [2, channels, height, width], values)
    var plan = try TrainingPlan(
      graph, inputShapes: [x.shape], gradientsOf: .inputs, engine: Engine())
    let (input, output) = (graph.inputs[0].name, graph.outputs[0].name)
    let result = try #require(try plan.forward([input: x], parameters: [:]).outputs[output])
    #expect(result.shape == [2, channels, rows, columns])
    let gradient = generator.tensor(result.shape)
    let found = try #require(try plan.backward([output: gradient]).inputs[input]).floats
    var expected = [Float](repeating: 0, count: values.count)
    for (i, number) in gradient.floats.enumerated() {
      let (plane, row, column) = (i / (rows * columns), i / columns % rows, i % columns)
      let pixels = (0..<window.height).flatMap { y in
        (0..<window.width).map { x in
          (plane * height + row * window.height + y) * width + column * window.width + x
        }
      }
      let largest = pixels.map { values[$0] }.max()
      let first = try #require(pixels.first { values[$0] == largest })
      expected[first] = number
    }
    #expect(found == expected)
    #expect(plan.steps.last { $0.operation.hasPrefix("maxPool") }?.implementation == "aviary")
  }
}
