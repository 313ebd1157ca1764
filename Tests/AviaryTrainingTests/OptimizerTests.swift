import AviaryFormats
import AviaryCheckpoint
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Testing

@Suite("optimisers")
struct OptimizerTests {
  private static let parameters = OptimizerFixture.parameters

  /// The recipes of export.py.
  private static func recipe(_ name: String) -> OptimizerRecipe {
    var recipe = OptimizerRecipe()
    switch name {
    case "adam-decay":
      (recipe.beta1, recipe.beta2) = (0.8, 0.99)
      (recipe.epsilon, recipe.weightDecay) = (1e-4, 0.1)
    case "adamw": (recipe.kind, recipe.weightDecay) = (.adamw, 0.1)
    case "sgd": (recipe.kind, recipe.beta1) = (.sgd, 0)
    case "sgd-momentum": (recipe.kind, recipe.weightDecay) = (.sgd, 0.1)
    default: break
    }
    return recipe
  }

  private func rate(_ step: Int, _ highest: Double) -> Double {
    highest * (1 - Double(step) / 40)
  }

  @Test(
    "twenty steps are PyTorch's",
    arguments: ["adam", "adam-decay", "adamw", "sgd", "sgd-momentum"])
  func steps(name: String) throws {
    let fixture = try OptimizerFixture.read()
    let run = try #require(fixture.optimizers[name])
    var optimizer = try Optimizer(Self.recipe(name), parameters: Self.parameters)
    var weights = try OptimizerFixture.tensors(fixture.initial)
    for (step, gradients) in fixture.gradients.enumerated() {
      try optimizer.step(
        &weights, gradients: try OptimizerFixture.tensors(gradients), rate: rate(step, run.rate))
      guard let expected = run.weights["\(step + 1)"] else { continue }
      for (name, tensor) in try OptimizerFixture.tensors(expected) {
        let agreement = Agreement(try #require(weights[name]), expected: tensor)
        #expect(agreement.largest <= 1e-6 * agreement.scale, "\(name): \(agreement)")
      }
    }
    let state = optimizer.state(rate: 0.5)
    #expect(state.step == 20)
    // A slot of None is no slot.
    #expect(state.tensors.names.sorted() == run.state.keys.sorted())
    for (name, tensor) in try state.tensors.loaded() {
      let numbers = try #require(run.state[name])
      let agreement = Agreement(tensor, expected: try Tensor(shape: tensor.shape, numbers))
      #expect(agreement.largest <= 1e-6 * agreement.scale, "\(name): \(agreement)")
    }
  }

  @Test(
    "a state goes through a file, and the weights are the same bit by bit",
    arguments: ["adam", "adamw", "sgd", "sgd-momentum"])
  func resuming(name: String) throws {
    let fixture = try OptimizerFixture.read()
    let folder = try TemporaryFolder()
    let recipe = Self.recipe(name)
    var optimizer = try Optimizer(recipe, parameters: Self.parameters)
    var weights = try OptimizerFixture.tensors(fixture.initial)
    // An optimiser of no step until the file is read.
    var (other, its) = (optimizer, weights)
    for (step, gradients) in fixture.gradients.enumerated() {
      let gradients = try OptimizerFixture.tensors(gradients)
      try optimizer.step(&weights, gradients: gradients, rate: 1e-2)
      if step > 9 { try other.step(&its, gradients: gradients, rate: 1e-2) }
      guard step == 9 else { continue }
      let tensors = TensorSource(NamedTensors(weights.sorted { $0.key < $1.key }.map { ($0, $1) }))
      try CheckpointFile(
        tensors: tensors, training: TrainingState(optimizer: optimizer.state(rate: 1e-2))
      ).write(to: folder.file("a.h5"))
      let file = try CheckpointFile(folder.file("a.h5"))
      let state = try #require(file.training?.optimizer)
      #expect(state.groups == optimizer.state(rate: 1e-2).groups)
      other = try Optimizer(recipe, parameters: Self.parameters, resuming: state)
      its = Dictionary(
        uniqueKeysWithValues: try file.tensors.loaded().map { ($0.name, $0.tensor) })
    }
    #expect(its == weights)
    #expect(other.stepCount == 20)
    #expect(
      try other.state(rate: 1).tensors.loaded().map(\.tensor)
        == optimizer.state(rate: 1).tensors.loaded().map(\.tensor))
  }

  @Test("weights change in their own memory")
  func inPlace() throws {
    var weights = try OptimizerFixture.tensors(try OptimizerFixture.read().initial)
    let gradients = weights
    // No copy that would share it.
    func address() -> Int? {
      unsafe weights["a.weight"]?.withFloats { Int(bitPattern: $0.baseAddress) }
    }
    weights["a.weight"] = try Tensor(shape: [3, 7], [Float](repeating: 1, count: 21))
    let before = address()
    var optimizer = try Optimizer(OptimizerRecipe(), parameters: Self.parameters)
    for _ in 0..<3 { try optimizer.step(&weights, gradients: gradients, rate: 1e-3) }
    #expect(address() == before)
  }

  @Test("constants that make no optimiser are refused")
  func constants() throws {
    func message(_ change: (inout OptimizerRecipe) -> Void) -> String? {
      var recipe = OptimizerRecipe()
      change(&recipe)
      let error = #expect(throws: TrainingError.self) {
        try Optimizer(recipe, parameters: Self.parameters)
      }
      return error?.description
    }
    #expect(
      message { $0.learningRate = 0 }
        == "optimizer.learning-rate: expected a number above 0, found 0.0")
    #expect(
      message { $0.beta1 = 1 }
        == "optimizer.beta1: expected a number of 0 or more and below 1, found 1.0")
    #expect(
      message { $0.beta2 = -0.5 }
        == "optimizer.beta2: expected a number of 0 or more and below 1, found -0.5")
    #expect(
      message { $0.epsilon = 1e-60 }
        == "optimizer.epsilon: expected a number above 0, found 1e-60")
    #expect(
      message { $0.weightDecay = .nan }
        == "optimizer.weight-decay: expected a number of 0 or more, found nan")
  }

  @Test("what is missing or of another shape is named, and nothing changes")
  func requirements() throws {
    let fixture = try OptimizerFixture.read()
    var optimizer = try Optimizer(OptimizerRecipe(), parameters: Self.parameters)
    let weights = try OptimizerFixture.tensors(fixture.initial)
    func message(_ weights: [String: Tensor], _ gradients: [String: Tensor]) -> String? {
      var changed = weights
      let error = #expect(throws: TrainingError.self) {
        try optimizer.step(&changed, gradients: gradients, rate: 1)
      }
      #expect(changed == weights)
      #expect(optimizer.stepCount == 0)
      return error?.description
    }
    var few = weights
    few["b.bias"] = nil
    #expect(message(few, weights) == "parameter b.bias: expected a tensor, found none")
    #expect(message(weights, few) == "the gradient of b.bias: expected a tensor, found none")
    few["b.bias"] = try Tensor(zeros: [6])
    #expect(
      message(weights, few) == "the gradient of b.bias: expected shape [5], found shape [6]")
    few["b.bias"] = try Tensor(zeros: [5], elementType: .float64)
    #expect(message(few, weights) == "parameter b.bias: expected float32, found float64")
  }

  @Test("a state that is not the optimiser's own is refused")
  func states() throws {
    let fixture = try OptimizerFixture.read()
    var optimizer = try Optimizer(OptimizerRecipe(), parameters: Self.parameters)
    var weights = try OptimizerFixture.tensors(fixture.initial)
    try optimizer.step(&weights, gradients: weights, rate: 1)
    let state = optimizer.state(rate: 1)
    func message(
      _ kind: OptimizerRecipe.Kind = .adam,
      _ change: (inout OptimizerState, inout NamedTensors) throws -> Void
    ) throws -> String? {
      var (changed, tensors) = (state, try state.tensors.loaded())
      try change(&changed, &tensors)
      changed.tensors = TensorSource(tensors)
      var recipe = OptimizerRecipe()
      recipe.kind = kind
      let error = #expect(throws: TrainingError.self) {
        try Optimizer(recipe, parameters: Self.parameters, resuming: changed)
      }
      return error?.description
    }
    #expect(
      try message(.sgd) { _, _ in } == "the optimiser's state: expected sgd, found adam")
    #expect(
      try message { state, _ in state.algorithm = nil }
        == "the optimiser's state: expected adam, found an unknown kind")
    #expect(
      try message { state, _ in state.step = nil }
        == "the optimiser's state: expected a number of steps below 16777216, found none")
    for steps in [-1, 1 << 24, .max] {
      #expect(
        try message { state, _ in state.step = steps }
          == "the optimiser's state: expected a number of steps below 16777216, found \(steps)")
    }
    #expect(
      try message { state, _ in state.step = 7 }
        == "the optimiser's a.weight.step: expected 7.0, found 1.0")
    #expect(
      try message { _, tensors in tensors["b.bias.exp_avg_sq"] = nil }
        == "the optimiser's b.bias.exp_avg_sq: expected a tensor, found none")
    #expect(
      try message { _, tensors in tensors["a.weight.exp_avg"] = try Tensor(zeros: [7, 3]) }
        == "the optimiser's a.weight.exp_avg: expected shape [3, 7], found shape [7, 3]")
    #expect(
      try message { _, tensors in
        tensors["a.weight.exp_avg"] = try Tensor(zeros: [3, 7], elementType: .float16)
      } == "the optimiser's a.weight.exp_avg: expected float32, found float16")
    #expect(
      try message { _, tensors in tensors["c.exp_avg"] = try Tensor(zeros: [1]) }
        == "the optimiser's c.exp_avg: expected none, found a tensor")
    #expect(
      try message { _, tensors in tensors = NamedTensors() }
        == "the optimiser's a.weight.exp_avg: expected a tensor, found none")
  }
}
