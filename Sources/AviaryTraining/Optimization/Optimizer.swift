public import AviaryCheckpoint
public import AviaryTensor

/// The optimizers: Adam, AdamW and SGD with momentum, each as in `torch.optim`.
///
/// Weights and state are float32 and updated in place. The same gradients give the same weights,
/// bit for bit.
public struct Optimizer: Sendable {
  /// The rule and its constants.
  public let recipe: OptimizerRecipe
  /// The number of steps taken.
  public private(set) var stepCount = 0
  private var parameters: [OptimizedParameter]

  /// An optimizer that has taken no step.
  ///
  /// - Parameter parameters: the trained parameters, in the model's order.
  /// - Throws: `TrainingError.recipe` for invalid hyperparameters; `.training` for a shape that
  ///   there is no memory for.
  public init(
    _ recipe: OptimizerRecipe, parameters: [(name: String, shape: [Int])]
  ) throws(TrainingError) {
    try recipe.check()
    self.recipe = recipe
    self.parameters = []
    for (name, shape) in parameters {
      self.parameters.append(
        try OptimizedParameter(name: name, shape: shape, slots: recipe.slots.count))
    }
  }

  /// Takes a step.
  ///
  /// - Parameters:
  ///   - weights: by name, float32; those that the optimizer knows are updated in place, unless
  ///     their memory is shared.
  ///   - gradients: with the same names and shapes.
  ///   - rate: the learning rate of this step.
  /// - Throws: `TrainingError.training` for a weight or a gradient that is missing or of the wrong
  ///   shape or type; nothing has been changed then.
  public mutating func step(
    _ weights: inout [String: Tensor], gradients: [String: Tensor], rate: Double
  ) throws(TrainingError) {
    for parameter in parameters {
      let name = parameter.name
      guard let weight = weights[name] else {
        throw .training("parameter \(name)", expected: "a tensor", found: "none")
      }
      guard let gradient = gradients[name] else {
        throw .training("the gradient of \(name)", expected: "a tensor", found: "none")
      }
      try weight.require(shape: parameter.shape, "parameter \(name)")
      try gradient.require(shape: parameter.shape, "the gradient of \(name)")
    }
    stepCount += 1
    let rule = OptimizerStep(recipe, step: stepCount, rate: rate)
    for i in parameters.indices {
      let name = parameters[i].name
      // Removed from the dictionary while it is updated, so that it has a single owner.
      guard let gradient = gradients[name], var weight = weights.removeValue(forKey: name) else {
        continue
      }
      parameters[i].take(rule, &weight, gradient)
      weights[name] = weight
    }
  }
}

// MARK: - State

extension Optimizer {
  /// PyTorch's name for the number of steps, a scalar beside each parameter's tensors.
  private static let count = "step"
  /// PyTorch counts steps in float32, which holds every integer up to here.
  private static let limit = 1 << 24

  /// The optimizer's state under PyTorch's names: `<parameter>.exp_avg`, `.exp_avg_sq` and `.step`
  /// for Adam and AdamW, `.momentum_buffer` for SGD. Empty before the first step.
  ///
  /// - Parameter rate: the learning rate of the last step, for resuming elsewhere.
  public func state(rate: Double) -> OptimizerState {
    var tensors = NamedTensors()
    for parameter in parameters where stepCount > 0 {
      if recipe.kind != .sgd, let step = try? Tensor(shape: [], [Float(stepCount)]) {
        tensors["\(parameter.name).\(Self.count)"] = step
      }
      for (slot, tensor) in zip(recipe.slots, parameter.slots) {
        tensors["\(parameter.name).\(slot)"] = tensor
      }
    }
    return OptimizerState(
      algorithm: recipe.kind.rawValue, step: stepCount,
      groups: [
        OptimizerState.Group(
          hyperparameters: recipe.hyperparameters(rate: rate), parameters: parameters.map(\.name))
      ],
      tensors: TensorSource(tensors))
  }

  /// An optimizer that continues where another stopped, with exactly the same numbers. Reads the
  /// state's tensors.
  ///
  /// - Parameters:
  ///   - recipe: with the same kind; hyperparameters may differ.
  ///   - parameters: the trained parameters, in the model's order.
  /// - Throws: `TrainingError.training` for a state of another kind, of more, fewer or other
  ///   parameters, of other shapes, or of parameters with different numbers of steps; errors from
  ///   `init(_:parameters:)`; and `CheckpointError` for a file that cannot be read.
  public init(
    _ recipe: OptimizerRecipe, parameters: [(name: String, shape: [Int])],
    resuming state: OptimizerState
  ) throws {
    try self.init(recipe, parameters: parameters)
    let kind = recipe.kind.rawValue
    guard state.algorithm == kind else {
      throw TrainingError.training(
        "the optimiser's state", expected: kind, found: state.algorithm ?? "an unknown kind")
    }
    guard let steps = state.step, (0..<Self.limit).contains(steps) else {
      throw TrainingError.training(
        "the optimiser's state", expected: "a number of steps below \(Self.limit)",
        found: state.step.map { "\($0)" } ?? "none")
    }
    stepCount = steps
    let wanted = Set(recipe.slots + (recipe.kind == .sgd ? [] : [Self.count]))
    let names = Set(self.parameters.flatMap { p in wanted.map { "\(p.name).\($0)" } })
    // There is no state before the first step.
    if steps == 0, state.tensors.isEmpty { return }
    if let other = state.tensors.names.first(where: { !names.contains($0) }) {
      throw TrainingError.training("the optimiser's \(other)", expected: "none", found: "a tensor")
    }
    for i in self.parameters.indices {
      let name = self.parameters[i].name
      for (number, slot) in recipe.slots.enumerated() {
        let shape = self.parameters[i].shape
        self.parameters[i].slots[number] = try Self.slot("\(name).\(slot)", shape, of: state)
      }
      guard recipe.kind != .sgd else { continue }
      // Old versions of PyTorch store scalars with shape [1].
      let shape = state.tensors["\(name).\(Self.count)"]?.shape == [1] ? [1] : []
      let own = try Self.slot("\(name).\(Self.count)", shape, of: state).floats[0]
      guard own == Float(steps) else {
        throw TrainingError.training(
          "the optimiser's \(name).\(Self.count)", expected: "\(Float(steps))", found: "\(own)")
      }
    }
  }

  private static func slot(
    _ name: String, _ shape: [Int], of state: OptimizerState
  ) throws -> Tensor {
    let thing = "the optimiser's \(name)"
    // Check the description first: a tensor of the wrong shape is not read.
    guard let described = state.tensors[name] else {
      throw TrainingError.training(thing, expected: "a tensor", found: "none")
    }
    guard described.shape == shape, let tensor = try state.tensors.tensor(name) else {
      throw TrainingError.training(
        thing, expected: "shape \(shape)", found: "shape \(described.shape)")
    }
    try tensor.require(shape: shape, thing)
    return tensor
  }
}

/// A parameter that an optimizer updates, with its state.
struct OptimizedParameter: Sendable {
  let name: String
  let shape: [Int]
  /// The moments: none, one or two tensors of the parameter's shape.
  var slots: [Tensor] = []

  init(name: String, shape: [Int], slots count: Int) throws(TrainingError) {
    (self.name, self.shape) = (name, shape)
    for _ in 0..<count {
      do {
        slots.append(try Tensor(zeros: shape))
      } catch {
        throw .training("parameter \(name)", expected: "a shape", found: error.description)
      }
    }
  }

  /// Updates the weight and the moments by a rule.
  mutating func take(_ rule: OptimizerStep, _ weight: inout Tensor, _ gradient: Tensor) {
    // Each tensor must have a single owner while its memory is written.
    var first = slots.isEmpty ? nil : slots.removeFirst()
    var second = slots.isEmpty ? nil : slots.removeFirst()
    unsafe weight.withMutableFloats { weight in
      unsafe gradient.withFloats { gradient in
        guard first != nil else {
          unsafe rule.take(weight, gradient)
          return
        }
        unsafe first?.withMutableFloats { first in
          guard second != nil else {
            unsafe rule.take(weight, gradient, first)
            return
          }
          unsafe second?.withMutableFloats { second in
            unsafe rule.take(weight, gradient, first, second)
          }
        }
      }
    }
    slots = [first, second].compactMap(\.self)
  }
}

extension OptimizerRecipe {
  /// PyTorch's names for the state of each parameter, apart from the number of steps.
  var slots: [String] {
    switch kind {
    case .adam, .adamw: ["exp_avg", "exp_avg_sq"]
    case .sgd: beta1 == 0 ? [] : ["momentum_buffer"]
    }
  }

  /// PyTorch's names and values of the hyperparameters, for a state.
  func hyperparameters(rate: Double) -> [String: Double] {
    switch kind {
    case .adam, .adamw:
      [
        "lr": rate, "beta1": beta1, "beta2": beta2, "eps": epsilon,
        "weight_decay": weightDecay,
      ]
    case .sgd:
      ["lr": rate, "momentum": beta1, "dampening": 0, "weight_decay": weightDecay, "nesterov": 0]
    }
  }

  /// Throws for invalid hyperparameters.
  func check() throws(TrainingError) {
    func require(
      _ condition: Bool, _ field: String, _ expected: String, _ found: Double
    ) throws(TrainingError) {
      guard condition else {
        throw .recipe(field: "optimizer.\(field)", expected: expected, found: "\(found)")
      }
    }
    let share = "a number of 0 or more and below 1"
    try require(
      learningRate > 0 && learningRate.isFinite, "learning-rate", "a number above 0", learningRate)
    try require(beta1 >= 0 && beta1 < 1, "beta1", share, beta1)
    try require(beta2 >= 0 && beta2 < 1, "beta2", share, beta2)
    // Zero would divide zero by zero wherever a gradient was always zero, and so would a value that
    // float32 rounds to zero.
    try require(
      Float(epsilon) > 0 && epsilon.isFinite, "epsilon", "a number above 0", epsilon)
    try require(
      weightDecay >= 0 && weightDecay.isFinite, "weight-decay", "a number of 0 or more", weightDecay
    )
  }
}
