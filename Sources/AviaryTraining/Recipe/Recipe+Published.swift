import AviaryFiles

extension Recipe {
  /// The recipe as a trained network's card has it: folders by their last names only. Where pictures
  /// lay on somebody's machine is nobody else's business, and their fingerprint says which they were.
  package var published: Recipe {
    var recipe = self
    recipe.data.targets = data.targets.fileName
    recipe.data.inputs = data.inputs.map(\.fileName)
    recipe.validation.data = validation.data.map(\.fileName)
    recipe.from = from.map(\.fileName)
    recipe.saving.folder = ""
    for position in losses.indices {
      guard case .perceptual(var features) = losses[position].kind else { continue }
      features.checkpoint = features.checkpoint.fileName
      recipe.losses[position].kind = .perceptual(features)
    }
    return recipe
  }
}
