extension Recipe {
  /// The recipe as a trained network's card has it: folders by their last names only. Where pictures
  /// lay on somebody's machine is nobody else's business, and their fingerprint says which they were.
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
