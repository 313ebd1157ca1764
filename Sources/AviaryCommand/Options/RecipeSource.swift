import AviaryFormats
import AviaryCheckpoint
import AviaryContainers
import Aviary
import AviaryFiles
import AviaryGraph
import AviaryTraining

/// A training's recipe and the checkpoint that it resumes from, as given on the command line before
/// flags apply.
struct RecipeSource {
  var recipe: Recipe
  /// Nil for a new training.
  let checkpoint: String?
  /// Messages for the user about damaged later checkpoints.
  let messages: [String]
  /// Notes for the user about recipe fields that have been renamed.
  let notes: [String]

  /// - Parameters:
  ///   - reference: a recipe file or an architecture; nil for the recipe of the checkpoint, or for the
  ///     network of the weights to start from.
  ///   - run: a run folder or one of its checkpoints; nil for a new training.
  ///   - weights: those that a new training starts from; nil for none.
  /// - Throws: `CommandError`, `TrainingError`, `CheckpointError`.
  init(
    _ reference: String?, resuming run: String?, from weights: String?, _ registry: Registry
  ) throws {
    (checkpoint, messages) = try RecipeSource.checkpoint(of: run)
    var notes: [String] = []
    if let reference, checkpoint == nil || RecipeSource.isFile(reference) {
      recipe = try RecipeSource.recipe(reference, registry) { notes.append($0) }
    } else if let checkpoint {
      guard let progress = try CheckpointFile(checkpoint).training?.progress else {
        throw TrainingError.training(
          checkpoint, expected: "the state of a training to resume", found: "weights alone")
      }
      recipe = try Recipe(yaml: progress.recipe, name: "\(checkpoint): recipe")
      if let reference {
        // With a checkpoint, an architecture's name only says what the checkpoint should be of.
        _ = try registry[reference]
        guard reference == recipe.architecture else {
          throw TrainingError.training(
            checkpoint, expected: "a checkpoint of \(reference) to resume from",
            found: "one of \(recipe.architecture)")
        }
      }
    } else if weights != nil {
      // The file says which architecture it is.
      recipe = Recipe("", data: DataRecipe(targets: ""))
    } else {
      // The command's own check comes first.
      preconditionFailure("a training of nothing")
    }
    self.notes = notes
    // A run may have been moved: keep writing where its checkpoint is.
    if let run, PathKind(of: run) == .folder {
      recipe.saving.folder = run
    } else if let checkpoint {
      recipe.saving.folder = checkpoint.folder
    } else if recipe.saving.folder.isEmpty, let reference = reference ?? weights {
      recipe.saving.folder = "runs/\(RecipeSource.stem(reference))"
    }
  }

  /// The last intact checkpoint in a run's folder, and messages about damaged later ones, such as a
  /// power failure may leave.
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
    // None is intact: reading the last one reports what is wrong.
    return (last.path, [])
  }

  private static func isFile(_ reference: String) -> Bool {
    reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
      || PathKind(of: reference) == .file
  }

  private static func recipe(
    _ reference: String, _ registry: Registry, note: (String) -> Void
  ) throws -> Recipe {
    if isFile(reference) { return try Recipe(contentsOf: reference, note: note) }
    _ = try registry[reference]
    return Recipe(reference, data: DataRecipe(targets: ""))
  }

  /// The default name of a new run: that of its recipe, its architecture or its first weights.
  private static func stem(_ reference: String) -> String {
    let name = reference.fileName
    guard isFile(reference), let dot = name.lastIndex(of: "."), dot > name.startIndex else {
      return name
    }
    return String(name[..<dot])
  }
}
