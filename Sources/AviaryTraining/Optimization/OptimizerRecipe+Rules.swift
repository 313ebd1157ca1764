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
