import AviaryCheckpoint
import ArgumentParser
import Aviary
import AviaryFiles
import AviaryGraph
import AviaryTraining
import Glibc

/// `aviary train`: trains a checkpoint on a folder of images.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of images.",
    discussion: """
      Takes a recipe, a YAML file (Docs/Training.md), or just an architecture's name, with good \
      defaults. Every field of a recipe is also a flag; flags override the recipe.

      --from starts from the weights in any file that 'aviary convert' reads. Their network is \
      trained, unless the recipe names another or states a preset or a configuration.

      The run's folder holds resumable checkpoints, the best and the last model, log.csv, TensorBoard \
      events, and samples. Ctrl-C and SIGTERM save the state and end with status 130 or 143; \
      --resume continues a stopped or killed run to the same weights, bit for bit.

      EXAMPLES
        aviary train residual-cae --data images --scale 2
        aviary train recipe.yaml --data images --validation Set5 --steps 40_000
        aviary train --from RealESRGAN_x4plus.pth --data images --learning-rate 1e-5
        aviary train recipe.yaml --data images --dry-run
        aviary train --resume runs/residual-cae
        mpirun -n 2 aviary train recipe.yaml --threads 4

      The last needs a program built with MPI (swift build --traits MPI).
      """)

  @Argument(
    help: ArgumentHelp(
      "Recipe file or architecture name; default with --resume: the run's own recipe, with "
        + "--from: the weights' network.",
      valueName: "recipe"),
    completion: .recipes)
  var reference: String?

  @Option(
    help: ArgumentHelp(
      "Resume a run: its folder, or one of its checkpoints.", valueName: "run"),
    completion: .file())
  var resume: String?

  @Flag(
    name: .customLong("fields"),
    help: "Print the fields of a recipe as a Markdown table, and exit.")
  var fieldTable = false

  @Flag(help: "Check everything, print the full recipe and the network, and exit.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "When to autotune (benchmark each layer's kernel candidates): always, never, or auto, only "
        + "for jobs at least ten times longer than the tuning (default: $AVIARY_TUNE, else always). "
        + "A resumed run keeps its kernels.", valueName: "always|auto|never"))
  var tune: TuningChoice?

  @Flag(help: "Print no progress and no notes, only warnings and errors.")
  var quiet = false

  @OptionGroup var zooOptions: ZooOptions
  @OptionGroup(title: "FIELDS OF THE RECIPE") var fields: RecipeOptions

  func validate() throws {
    guard reference != nil || resume != nil || fields.from != nil || fieldTable else {
      throw ValidationError(
        "Missing expected argument '<recipe>', '--resume <run>' or '--from <weights>'")
    }
  }

  func run() throws {
    if fieldTable { return try Console.print(RecipeField.markdown) }
    try Processes.together(train)
  }

  /// Trains, as one of the processes that train together; only the first prints.
  private func train(_ processes: any Communicator) throws {
    let zoo = try zooOptions.zoo()
    var source = try RecipeSource(reference, resuming: resume, from: fields.from, zoo.registry)
    try fields.apply(to: &source.recipe)
    let taken = source.checkpoint == nil ? try source.recipe.takeNetwork(in: zoo) : nil
    if processes.rank == 0 {
      source.messages.forEach(Console.warn)
      if !quiet { (source.notes + fields.notes + [taken].compactMap(\.self)).forEach(Console.note) }
    }
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
        "Images", "\(training.data.imageCount), \(training.data.skipped.count) left out")
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

/// Writes the events of a training to standard error.
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
    // Usually every ten minutes, so not worth a line.
    case .saved: break
    }
  }

  func finish() { line.wipe() }
}
