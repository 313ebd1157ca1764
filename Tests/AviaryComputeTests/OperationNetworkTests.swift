import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Networks of all operations of the table, put together at random, against the oracle.
@Suite struct OperationNetworkTests {
  private static let seeds = 0..<RandomOperations.count

  @Test(arguments: seeds) func values(_ seed: Int) throws {
    let network = try RandomOperations(seed: seed)
    #expect(try Graph(json: JSON(parsing: network.graph.json.text)) == network.graph)
    let weights = randomWeights(for: network.graph, seed: 1)
    var generator = SplitMix64(seed: 2)
    var inputs: [String: Tensor] = [:]
    for (input, shape) in zip(network.graph.inputs, network.inputShapes) {
      inputs[input.name] = generator.tensor(shape, in: -1...1)
    }
    let comparison = try Comparison(
      network.graph, network.inputShapes, options: PlanOptions(exact: seed % 2 == 0))
    // Of what one rounding moves as far there is no telling.
    let noise = try network.sensitivity(weights: weights, inputs: inputs)
    #expect(
      comparison.largestError <= max(1e-5, 16 * noise),
      "seed \(seed): \(comparison.largestError), \(noise) by rounding: \(network.rows)")
  }

  /// Each gradient along a direction, where there is no kink.
  @Test(arguments: seeds) func gradients(_ seed: Int) throws {
    let network = try RandomOperations(seed: seed)
    let graph = network.graph
    guard network.rows.allSatisfy(\.hasGradients) else { return }
    var generator = SplitMix64(seed: UInt64(seed))
    let weights = randomWeights(for: graph, seed: UInt64(seed) &+ 1)
    var inputs: [String: Tensor] = [:]
    for (input, shape) in zip(graph.inputs, network.inputShapes) {
      inputs[input.name] = generator.tensor(shape, in: -1...1)
    }
    var plan = try TrainingPlan(
      graph, inputShapes: network.inputShapes, gradientsOf: [.parameters, .inputs],
      options: PlanOptions(exact: true), engine: Engine())
    var cotangents: [String: Tensor] = [:]
    for (name, shape) in plan.outputShapes.sorted(by: { $0.key < $1.key }) {
      cotangents[name] = generator.tensor(shape)
    }
    _ = try plan.forward(inputs, parameters: weights)
    let gradients = try plan.backward(cotangents)
    let differences = try FiniteDifferences(
      graph, weights: weights, inputs: inputs, cotangents: cotangents)
    let all = gradients.parameters.merging(gradients.inputs) { $1 }
    let largest = all.values.flatMap(\.floats).map { Double($0.magnitude) }.max() ?? 0
    for (name, gradient) in all.sorted(by: { $0.key < $1.key }) {
      let direction = generator.tensor(gradient.shape)
      let slopes = try differences.slopes(by: name, along: direction)
      let expected = (slopes.below + slopes.above) / 2
      let products = zip(gradient.floats, direction.floats).map { Double($0) * Double($1) }
      let found = products.reduce(0, +)
      let size = products.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // What cancels altogether leaves the rounding errors of its summands: of the gradients by
      // others, and one of the outputs' gradients, which are drawn from -1 to 1.
      let allowed = 1e-4 * max(size, abs(expected)) + 2e-6 * largest + 6e-8
      if abs(slopes.below - slopes.above) > allowed { continue }
      #expect(
        abs(found - expected) <= allowed,
        "seed \(seed), \(name): expected \(expected), found \(found); \(network.rows)")
    }
  }

  /// In tiles, where they give the whole.
  @Test func tiles() throws {
    var compared = 0
    for seed in Self.seeds {
      let network = try RandomOperations(seed: seed)
      let graph = network.graph
      let (height, width) = (48, 40)
      guard graph.inputs.count == 1,
        case .exact(let overlap, let multiple) = try? graph.tiling(height: height, width: width),
        overlap < 16
      else { continue }
      let tile = (16 + multiple - 1) / multiple * multiple
      let weights = randomWeights(for: graph, seed: UInt64(seed))
      let input = randomTensor([1, graph.inputs[0].channels, height, width], seed: UInt64(seed))
      let whole = try naive(graph, weights: weights, inputs: [graph.inputs[0].name: input])
      let parts: [String: Tensor]
      do {
        parts = try naiveTiles(graph, weights: weights, input: input, tile: tile, whole: whole)
      } catch GraphError.shape {
        continue
      }
      compared += 1
      for (name, tensor) in whole {
        let agreement = Agreement(try #require(parts[name]), expected: tensor)
        #expect(agreement.relative <= 1e-6, "seed \(seed), \(name): \(agreement); \(network.rows)")
      }
    }
    #expect(compared >= Self.seeds.count / 20)
  }

  /// Every row of the table is in some network of the whole set.
  @Test func everyRowIsMet() throws {
    var met: Set<String> = []
    for seed in OperationRow.all.indices {
      met.formUnion(try RandomOperations(seed: seed).rows.map(\.description))
    }
    let missed = OperationRow.all.filter { !met.contains($0.description) }
    #expect(missed.isEmpty, "\(missed)")
  }
}
