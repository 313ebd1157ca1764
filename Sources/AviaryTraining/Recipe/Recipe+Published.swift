extension Recipe {
  /// The recipe as stated in a trained network's model card, with only the last component of folder
  /// paths. Where the images were on someone's machine is nobody else's business, and the
  /// fingerprint identifies them.
  package var published: Recipe {
    func name(_ path: String) -> String {
      path.split(separator: "/").last.map(String.init) ?? path
    }
    var recipe = self
    recipe.data.targets = name(data.targets)
    recipe.data.inputs = data.inputs.map(name)
    recipe.validation.data = validation.data.map(name)
    recipe.from = from.map(name)
    recipe.saving.folder = ""
    for position in losses.indices {
      guard case .perceptual(var features) = losses[position].kind else { continue }
      features.checkpoint = name(features.checkpoint)
      recipe.losses[position].kind = .perceptual(features)
    }
    return recipe
  }
}
