extension OptimizerRecipe {
  /// PyTorch's names of what is remembered of each parameter, beside the number of steps.
  var slots: [String] {
    switch kind {
    case .adam, .adamw: ["exp_avg", "exp_avg_sq"]
    case .sgd: momentum == 0 ? [] : ["momentum_buffer"]
    }
  }

  /// PyTorch's names and values, for a state.
  func hyperparameters(rate: Double) -> [String: Double] {
    switch kind {
    case .adam, .adamw:
      [
        "lr": rate, "beta1": momentum, "beta2": secondMomentum, "eps": epsilon,
        "weight_decay": decay,
      ]
    case .sgd:
      ["lr": rate, "momentum": momentum, "dampening": 0, "weight_decay": decay, "nesterov": 0]
    }
  }

  /// Throws for constants that make no optimiser.
  func check() throws(TrainingError) {
    func require(
      _ condition: Bool, _ field: String, _ expected: String, _ found: Double
    ) throws(TrainingError) {
      guard condition else {
        throw .recipe(field: "optimizer.\(field)", expected: expected, found: "\(found)")
      }
    }
    let share = "a number of 0 or more and below 1"
    try require(rate > 0 && rate.isFinite, "rate", "a number above 0", rate)
    try require(momentum >= 0 && momentum < 1, "momentum", share, momentum)
    try require(
      secondMomentum >= 0 && secondMomentum < 1, "second-momentum", share, secondMomentum)
    // Zero divides zero by zero wherever a gradient was always zero, and so does what float32 rounds
    // to zero.
    try require(
      Float(epsilon) > 0 && epsilon.isFinite, "epsilon", "a number above 0", epsilon)
    try require(decay >= 0 && decay.isFinite, "decay", "a number of 0 or more", decay)
  }
}
