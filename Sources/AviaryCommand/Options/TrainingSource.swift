import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryTraining

/// The recipe of a training and the checkpoint that it goes on from: what the command line says before
/// its flags.
struct TrainingSource {
  var recipe: Recipe
  /// Nil for a new training.
  let checkpoint: String?

  /// - Parameters:
  ///   - reference: a recipe's file or an architecture; nil for the recipe of the checkpoint.
  ///   - run: the folder of a run or one of its checkpoints; nil for a new training.
  /// - Throws: `CommandError`, `TrainingError`, `CheckpointError`.
  init(_ reference: String?, resuming run: String?, _ registry: Registry) throws {
    checkpoint = try run.map { run throws in
      guard PathKind(of: run) == .folder else { return run }
      guard let last = RunFolder(run).last else { throw CommandError.nothingToResume(run) }
      return last
    }
    if let reference {
      recipe = try TrainingSource.recipe(reference, registry)
    } else if let checkpoint {
      guard let progress = try CheckpointFile(checkpoint).training?.progress else {
        throw TrainingError.training(
          checkpoint, expected: "the state of a training to resume", found: "weights alone")
      }
      recipe = try Recipe(yaml: progress.recipe, name: "\(checkpoint): recipe")
    } else {
      // The command's own check comes first.
      preconditionFailure("a training of nothing")
    }
    // Wherever the run has been moved to: what goes on stays together.
    if let run, PathKind(of: run) == .folder {
      recipe.saving.folder = run
    } else if let checkpoint {
      recipe.saving.folder = TrainingSource.folder(of: checkpoint)
    } else if recipe.saving.folder.isEmpty, let reference {
      recipe.saving.folder = "runs/\(TrainingSource.stem(reference))"
    }
  }

  private static func recipe(_ reference: String, _ registry: Registry) throws -> Recipe {
    let isFile =
      reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
      || PathKind(of: reference) == .file
    if isFile { return try Recipe(contentsOf: reference) }
    _ = try registry[reference]
    return Recipe(reference, data: DataRecipe(targets: ""))
  }

  /// What a new run is called where nobody says: after its recipe, or its architecture.
  private static func stem(_ reference: String) -> String {
    let name = reference.split(separator: "/").last.map(String.init) ?? reference
    for ending in [".yaml", ".yml"] where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
