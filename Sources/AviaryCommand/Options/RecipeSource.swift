import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryTraining

/// The recipe of a training and the checkpoint that it goes on from: what the command line says before
/// its flags.
struct RecipeSource {
  var recipe: Recipe
  /// Nil for a new training.
  let checkpoint: String?
  /// What the user should know: later checkpoints that are damaged.
  let messages: [String]

  /// - Parameters:
  ///   - reference: a recipe's file or an architecture; nil for the recipe of the checkpoint.
  ///   - run: the folder of a run or one of its checkpoints; nil for a new training.
  /// - Throws: `CommandError`, `TrainingError`, `CheckpointError`.
  init(_ reference: String?, resuming run: String?, _ registry: Registry) throws {
    (checkpoint, messages) = try RecipeSource.checkpoint(of: run)
    if let reference, checkpoint == nil || RecipeSource.isFile(reference) {
      recipe = try RecipeSource.recipe(reference, registry)
    } else if let checkpoint {
      guard let progress = try CheckpointFile(checkpoint).training?.progress else {
        throw TrainingError.training(
          checkpoint, expected: "the state of a training to resume", found: "weights alone")
      }
      recipe = try Recipe(yaml: progress.recipe, name: "\(checkpoint): recipe")
      if let reference {
        // An architecture's name says nothing but what the checkpoint is expected to be of.
        _ = try registry[reference]
        guard reference == recipe.architecture else {
          throw TrainingError.training(
            checkpoint, expected: "a checkpoint of \(reference) to resume from",
            found: "one of \(recipe.architecture)")
        }
      }
    } else {
      // The command's own check comes first.
      preconditionFailure("a training of nothing")
    }
    // Wherever the run has been moved to: what goes on stays together.
    if let run, PathKind(of: run) == .folder {
      recipe.saving.folder = run
    } else if let checkpoint {
      recipe.saving.folder = RecipeSource.folder(of: checkpoint)
    } else if recipe.saving.folder.isEmpty, let reference {
      recipe.saving.folder = "runs/\(RecipeSource.stem(reference))"
    }
  }

  /// The last whole checkpoint of a run's folder, and what is said of damaged ones after it: a machine
  /// that lost its power may leave one.
  private static func checkpoint(of run: String?) throws -> (String?, [String]) {
    guard let run, PathKind(of: run) == .folder else { return (run, []) }
    let checkpoints = RunFolder(run).checkpoints
    guard let last = checkpoints.last else { throw CommandError.nothingToResume(run) }
    var messages: [String] = []
    for checkpoint in checkpoints.reversed() {
      do throws(CheckpointError) {
        try CheckpointFile(checkpoint.path).verify(checkpoint.path)
        return (checkpoint.path, messages)
      } catch {
        switch error {
        case .damaged, .truncated, .hashMismatch, .notWeights: messages.append("\(error)")
        default: throw error
        }
      }
    }
    // None is whole: what is wrong with the last is said where it is read.
    return (last.path, [])
  }

  private static func isFile(_ reference: String) -> Bool {
    reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
      || PathKind(of: reference) == .file
  }

  private static func recipe(_ reference: String, _ registry: Registry) throws -> Recipe {
    if isFile(reference) { return try Recipe(contentsOf: reference) }
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
