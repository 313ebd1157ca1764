import ArgumentParser
import Aviary
import AviaryTraining

/// `aviary train`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of pictures.",
    discussion: """
      EXAMPLES
        aviary train residual-cae --data DIR --scale 2
      """)

  @Argument var reference: String?
  @OptionGroup(title: "Recipe") var fields: RecipeOptions

  func run() throws {
    var recipe = Recipe(reference ?? "", data: DataRecipe(targets: ""))
    try fields.apply(to: &recipe)
    try Console.print(recipe.yaml)
  }
}
