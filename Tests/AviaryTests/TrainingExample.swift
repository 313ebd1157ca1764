import Aviary
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import AviaryTraining

/// A training of a tiny network on two made-up images, which takes a moment.
struct TrainingExample: ~Copyable {
  /// Holds images in `data`, runs anywhere else.
  let folder: TemporaryFolder
  /// A recipe of six steps for `run` in the folder.
  private(set) var recipe: Recipe

  init() throws {
    let folder = try TemporaryFolder()
    var recipe = Recipe("residual-cae", data: DataRecipe(targets: folder.file("data")))
    recipe.configuration = ["channels": 1, "features": [4, 8]]
    recipe.scale = 2
    recipe.batch.size = 2
    recipe.batch.patch = 16
    recipe.steps = 6
    recipe.threads = 1
    recipe.validation.data = folder.file("data")
    recipe.validation.every = 3
    recipe.validation.samples = 1
    recipe.saving.folder = folder.file("run")
    recipe.saving.every = 2
    try folder.makeFolder("data")
    for (name, side) in [("a.png", 40), ("b.png", 36)] {
      try Models.picture(height: side, width: 40, .rgb).write(to: folder.file("data/\(name)"))
    }
    self.recipe = recipe
    self.folder = folder
  }

  /// Trains, and gives how it ended.
  func train(
    resuming checkpoint: String? = nil, checkpoints: [String] = [],
    _ change: (inout Recipe) -> Void = { _ in },
    signal: () -> Int32? = { nil }, observer: @escaping (TrainingSession.Event) -> Void = { _ in }
  ) throws -> TrainingSession.End {
    var recipe = recipe
    change(&recipe)
    let run = try TrainingSession(
      recipe, zoo: Zoo(folders: checkpoints), resuming: checkpoint, observer: observer)
    return try run.run(stoppingOn: signal)
  }
}
