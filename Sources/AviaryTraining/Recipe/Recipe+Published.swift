import AviaryFiles

extension Recipe {
  /// The recipe as stated in a trained network's model card, with only the last component of folder
  /// paths. Where the images were on someone's machine is nobody else's business, and the
  /// fingerprint identifies them.
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
