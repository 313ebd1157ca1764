import ArgumentParser
import Aviary
import AviaryFiles
import AviaryGraph
import AviaryTraining
import Glibc

/// `aviary train`: from a folder of pictures to a checkpoint.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of pictures.",
    discussion: """
      By a recipe, a file of YAML whose every field is also a flag (Docs/Training.md), or with \
      good defaults by an architecture's name alone. Flags count before the recipe.

      In the folder of the run lie checkpoints to go on from, the best and the last network, \
      log.csv, events for TensorBoard, and samples. Ctrl-C and SIGTERM save the state and end the \
      training with status 130 or 143; a run that was stopped, or killed, goes on with --resume to \
      the same weights, bit by bit.

      EXAMPLES
        aviary train residual-cae --data pictures --scale 2
        aviary train recipe.yaml --data pictures --validation Set5 --steps 40_000
        aviary train recipe.yaml --data pictures --dry-run
        aviary train --resume runs/residual-cae
        mpirun -n 2 aviary train recipe.yaml --threads 4

      The last needs a program built with MPI (swift build --traits MPI).
      """)

  @Argument(
    help: ArgumentHelp(
      "A recipe's file, or an architecture's name; left out, the recipe of what is resumed.",
      valueName: "recipe"),
    completion: .recipes)
  var reference: String?

  @Option(
    help: ArgumentHelp(
      "Go on with a training: the folder of its run, or one of its checkpoints.", valueName: "run"),
    completion: .file())
  var resume: String?

  @Flag(help: "Check everything, print the whole recipe and the network, and end.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "When to time the ways to compute a layer, to take the fastest: always, never, or where the "
        + "work ahead is ten times as long (default: $AVIARY_TUNE, else always). What is resumed "
        + "goes on as it began.", valueName: "always|auto|never"))
  var tune: TuningChoice?

  @Flag(help: "No progress and no notes; warnings and errors remain.")
  var quiet = false

  @OptionGroup var zooOptions: ZooOptions
  @OptionGroup(title: "FIELDS OF THE RECIPE") var fields: RecipeOptions

  func validate() throws {
    guard reference != nil || resume != nil else {
      throw ValidationError("Missing expected argument '<recipe>' or '--resume <run>'")
    }
  }

  func run() throws { try Processes.together(train) }

  /// Trains, as one of the processes that do so together; the first alone speaks.
  private func train(_ processes: any Communicator) throws {
    let zoo = try zooOptions.zoo()
    var source = try RecipeSource(reference, resuming: resume, zoo.registry)
    try fields.apply(to: &source.recipe)
    if processes.rank == 0 { source.messages.forEach(Console.warn) }
    let watcher = EventPrinter(isQuiet: quiet || processes.rank > 0)
    let training = try TrainingSession(
      source.recipe, zoo: zoo, resuming: source.checkpoint, communicator: processes,
      tuning: TuningChoice.tuning(tune, else: .always),
      observer: { watcher.show($0) })
    if dryRun {
      guard processes.rank == 0 else { return }
      var sheet = FactSheet()
      sheet.add("Network", training.network.architecture)
      NetworkSummary(training.network.graph, training.network.picture).describe(in: &sheet)
      sheet.add(
        "Pictures", "\(training.data.pictureCount), \(training.data.skipped.count) left out")
      sheet.add("Steps", "\(training.step) of \(training.recipe.steps) done")
      return try Console.print("\(training.recipe.yaml)\n\(sheet.text)")
    }
    let interruption = Interruption()
    let end: TrainingSession.End
    do { end = try training.run(stoppingOn: { interruption.signal }) } catch {
      watcher.finish()
      throw error
    }
    watcher.finish()
    switch end {
    case .finished(let model): if processes.rank == 0 { try Console.print("\(model.printable)") }
    case .interrupted(let signal, let checkpoint):
      if processes.rank == 0 {
        Console.warn(
          "stopped by \(signal == SIGINT ? "Ctrl-C" : "a signal"); the state is saved in "
            + "\(checkpoint); continue with: aviary train --resume \(training.folder.path)")
      }
      throw ExitCode(
        (signal == SIGINT ? ExitStatus.interrupted : ExitStatus.terminated).rawValue)
    }
  }
}

/// Writes what a training tells to standard error.
private final class EventPrinter {
  private var line: StepLine
  private let isQuiet: Bool

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    line = StepLine(isEnabled: !isQuiet)
  }

  func show(_ event: TrainingSession.Event) {
    switch event {
    case .step(let step): line.show(step)
    case .validated(let validation): line.show(validation)
    case .message(let text):
      guard !isQuiet else { return }
      line.wipe()
      Console.note(text)
    // Every ten minutes, as a rule: no news.
    case .saved: break
    }
  }

  func finish() { line.wipe() }
}
