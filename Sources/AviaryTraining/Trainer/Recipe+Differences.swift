extension Recipe {
  /// Fields that do not affect the weights: validation, saving, the paths of images (the
  /// fingerprint identifies them), the threads that load them.
  private static let withoutEffect = [
    "saving.", "validation.", "data.targets", "data.inputs", "data.max-invalid-share",
    "batch.workers",
    "threads", "from",
  ]

  /// The fields in which this recipe would give different weights from an earlier one, with both
  /// values in words, in the recipe's order.
  package func differences(from earlier: Recipe) -> [String] {
    RecipeField.all.compactMap { field in
      let (old, new) = (field.text(of: earlier), field.text(of: self))
      let counts = !Recipe.withoutEffect.contains { field.path.hasPrefix($0) }
      return counts && old != new ? "\(field.path) \(new), before \(old)" : nil
    }
  }
}
