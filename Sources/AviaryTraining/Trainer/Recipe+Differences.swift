extension Recipe {
  /// What of a recipe does not change the weights: what is looked at and kept on the way, where the
  /// pictures lie (their fingerprint tells whether they are the same), who prepares them.
  private static let withoutEffect = [
    "saving.", "validation.", "data.targets", "data.inputs", "data.max-invalid-share",
    "batch.workers",
    "threads", "from",
  ]

  /// The fields in which this recipe would make other weights than an earlier one, with both values
  /// in words; in the order of the recipe.
  package func differences(from earlier: Recipe) -> [String] {
    RecipeField.all.compactMap { field in
      let (old, new) = (field.text(of: earlier), field.text(of: self))
      let counts = !Recipe.withoutEffect.contains { field.path.hasPrefix($0) }
      return counts && old != new ? "\(field.path) \(new), before \(old)" : nil
    }
  }
}
