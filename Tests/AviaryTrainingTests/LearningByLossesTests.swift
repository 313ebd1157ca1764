import Aviary
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryTraining

/// Losses that are networks, from random weights: what is learned from them lowers them.
@Suite struct LearningByLossesTests {
  private static let input = randomTensor([2, 3, 16, 16], seed: 31)
  private static let target = randomTensor([2, 3, 16, 16], seed: 32)

  /// Trains a small network, and gives its last result.
  ///
  /// - Parameter gradient: of each result.
  private func train(steps: Int, gradient: (Tensor) throws -> Tensor) throws -> Tensor {
    let graph = try Graph(channels: 3) {
      [$0.convolution("first", 8, kernel: 3).relu().convolution("last", 3, kernel: 3) + $0]
    }
    var plan = try TrainingPlan(
      graph, inputShapes: [Self.input.shape], engine: Engine(threads: 1))
    var parameters = try Initializer(graph, .he, seed: 3).parameters()
    var optimizer = try Optimizer(
      OptimizerRecipe(), parameters: graph.parameters.map { ($0.name, $0.shape) })
    var result = Self.input
    for _ in 0..<steps {
      result = try #require(
        try plan.forward(["image": Self.input], parameters: parameters).outputs["output"])
      let gradients = try plan.backward(["output": gradient(result)])
      try optimizer.step(&parameters, gradients: gradients.parameters, rate: 5e-3)
    }
    return result
  }

  /// A discriminator with random weights, and an optimiser for it.
  private func discriminator(
    _ kind: AdversarialRecipe.Kind, normalised: Bool = false
  ) throws -> (discriminator: Discriminator, optimizer: Optimizer) {
    let graph = try Registry.builtin["patch-discriminator"].network([
      "features": 8, "layers": 2, "batchNormalization": .bool(normalised),
    ]).graph
    let learned = graph.parameters.filter { $0.role == .weight }.map { ($0.name, $0.shape) }
    return (
      try Discriminator(
        graph, parameters: Initializer(graph, .he, seed: 8).parameters(), kind: kind,
        engine: Engine(threads: 1)),
      try Optimizer(OptimizerRecipe(), parameters: learned)
    )
  }

  @Test(arguments: [[2, 2], [2, 2, 3]]) func perceptual(_ convolutions: [Int]) throws {
    let network = try Registry.builtin["vgg"].network([
      "features": .array(convolutions.indices.map { .int(4 << $0) }),
      "convolutions": .array(convolutions.map(JSON.int)),
    ])
    let weights = try Initializer(network.graph, .he, seed: 4).parameters()
    let features = try FeatureNetwork(network.graph, picture: network.picture) {
      try #require(weights[$0.name])
    }
    var loss = try CombinedLoss(
      [LossRecipe(.perceptual(PerceptualRecipe(checkpoint: "random")))], picture: ImageSpec(.rgb),
      engine: Engine(threads: 1)
    ) { _ in features }
    var values: [Double] = []
    _ = try train(steps: 60) { result in
      let found = try loss.evaluate(result, Self.target)
      values.append(found.value)
      return found.gradient
    }
    #expect(loss.parts.map(\.name) == ["perceptual"])
    #expect(values[59] < 0.7 * values[0], "\(values[0]) to \(values[59])")
  }

  /// Against a discriminator that stays as it is, a network learns to be taken for the target.
  @Test(arguments: AdversarialRecipe.Kind.allCases)
  func networksLearnAgainstADiscriminator(_ kind: AdversarialRecipe.Kind) throws {
    var adversary = try discriminator(kind).discriminator
    var values: [Double] = []
    _ = try train(steps: 30) { result in
      let found = try adversary.evaluate(result, Self.target)
      values.append(found.value)
      return found.gradient
    }
    #expect(values[29] < values[0] - 0.3, "\(values[0]) to \(values[29])")
  }

  /// Shown the same images again and again, a discriminator learns to tell them.
  @Test(arguments: AdversarialRecipe.Kind.allCases, [false, true])
  func discriminatorsLearn(_ kind: AdversarialRecipe.Kind, normalised: Bool) throws {
    var (adversary, optimizer) = try discriminator(kind, normalised: normalised)
    let before = adversary.parameters
    var values: [Double] = []
    for _ in 0..<30 {
      values.append(
        try adversary.learn(Self.input, Self.target) { parameters, gradients in
          try optimizer.step(&parameters, gradients: gradients, rate: 3e-3)
        })
    }
    #expect(values[29] < 0.5 * values[0], "\(values[0]) to \(values[29])")
    for (name, value) in before where !name.hasSuffix("num_batches_tracked") {
      #expect(adversary.parameters[name] != value, "\(name)")
    }
  }

  /// Both at once, as training has them; a discriminator that was restored goes on as it was.
  @Test func bothLearnAndGoOn() throws {
    var (adversary, optimizer) = try discriminator(.relativistic)
    var saved: Discriminator?
    var state = optimizer.state(rate: 0)
    var steps = 0
    func step(
      _ adversary: inout Discriminator, _ optimizer: inout Optimizer, _ result: Tensor
    ) throws -> Tensor {
      let found = try adversary.evaluate(result, Self.target)
      _ = try adversary.learn(result, Self.target) { parameters, gradients in
        try optimizer.step(&parameters, gradients: gradients, rate: 1e-3)
      }
      return found.gradient
    }
    var results: [Tensor] = []
    _ = try train(steps: 6) { result in
      if steps == 3 { (saved, state) = (adversary, optimizer.state(rate: 1e-3)) }
      steps += 1
      results.append(result)
      return try step(&adversary, &optimizer, result)
    }
    var (again, other) = try discriminator(.relativistic)
    again.parameters = try #require(saved).parameters
    other = try Optimizer(
      OptimizerRecipe(),
      parameters: again.parameters.sorted { $0.key < $1.key }.map {
        ($0.key, $0.value.shape)
      }, resuming: state)
    for result in results[3...] { _ = try step(&again, &other, result) }
    #expect(again.parameters == adversary.parameters)
  }

  /// Else a checkpoint would be written of it before anybody saw.
  @Test func discriminatorsTakeNoStepThatIsNotFinite() throws {
    let (discriminator, optimizer) = try discriminator(.standard)
    var adversary = Adversary(discriminator, optimizer, weight: 1, start: 0)
    var target = Self.target
    unsafe target.withMutableFloats { unsafe $0[7] = .infinity }
    let error = #expect(throws: TrainingError.self) {
      try adversary.learn(Self.input, target, isLastPart: true, rate: 1e-3, OneProcess())
    }
    #expect(
      error?.description
        == "step 1 of the discriminator: its gradient: expected finite numbers, found no numbers")
    #expect(adversary.discriminator.parameters == discriminator.parameters)
    #expect(adversary.optimizer.stepCount == 0)
  }

  /// Along one direction, from the discriminator's own losses.
  @Test(arguments: AdversarialRecipe.Kind.allCases)
  func gradientsAreThoseOfFiniteDifferences(_ kind: AdversarialRecipe.Kind) throws {
    var adversary = try discriminator(kind).discriminator
    let gradient = try adversary.evaluate(Self.input, Self.target).gradient.floats
    // Where the loss changes most, so that a step may be so short that few activations bend on it.
    let direction: [Float] = gradient.map { $0 < 0 ? -1 : 1 }
    let step: Float = 1e-3
    func moved(_ sign: Float) throws -> Tensor {
      try Tensor(
        shape: Self.input.shape, zip(Self.input.floats, direction).map { $0 + sign * step * $1 })
    }
    let ahead = try adversary.evaluate(moved(1), Self.target).value
    let behind = try adversary.evaluate(moved(-1), Self.target).value
    let found = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let expected = (ahead - behind) / (2 * Double(step))
    #expect(abs(found - expected) <= 5e-3 * abs(expected), "expected \(found), \(expected)")

    // By a parameter: the discriminator's own.
    var gradients: [String: Tensor] = [:]
    _ = try adversary.learn(Self.input, Self.target) { gradients = $1 }
    let name = "layers.8.weight"
    let weights = try #require(adversary.parameters[name])
    func value(_ sign: Float) throws -> Double {
      var other = adversary
      other.parameters[name] = try Tensor(
        shape: weights.shape,
        weights.floats.enumerated().map { $0.element + sign * 1e-3 * Float($0.offset % 3 - 1) })
      return try other.learn(Self.input, Self.target) { _, _ in }
    }
    let slope = try (value(1) - value(-1)) / 2e-3
    let own = try #require(gradients[name]).floats.enumerated().reduce(0.0) {
      $0 + Double($1.element) * Double($1.offset % 3 - 1)
    }
    #expect(abs(own - slope) <= 2e-3 * abs(slope), "expected \(own), \(slope)")
  }

  @Test func graphsThatJudgeNothing() throws {
    let graph = try Registry.builtin["vgg"].network().graph
    let error = #expect(throws: TrainingError.self) {
      try Discriminator(graph, parameters: [:], kind: .hinge, engine: Engine(threads: 1))
    }
    #expect(
      error?.description
        == "adversarial.architecture: expected a network of one input and one output, found 1 and 2"
    )
    var adversary = try discriminator(.hinge).discriminator
    let other = randomTensor([2, 3, 16, 15], seed: 1)
    let mismatch = #expect(throws: TrainingError.self) {
      try adversary.learn(Self.input, other) { _, _ in }
    }
    #expect(
      mismatch?.description
        == "adversarial: target: expected float32 [2, 3, 16, 16], found float32 [2, 3, 16, 15]")
  }
}
