import ArgumentParser
import Aviary
import Glibc

/// The program `aviary`: the list of its subcommands, and the one place where errors become a line
/// of text and an exit status.
///
/// A subcommand parses, calls `Aviary` and prints; its output is built in Reports/.
@main
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aviary",
    abstract: "Image super-resolution and restoration with convolutional networks.",
    discussion: """
      EXAMPLES
        aviary list                                  architectures and checkpoints
        aviary info fusion-cae:x4                    describe one
        aviary convert weights.pth model.h5          import weights
        aviary run model.h5 photo.jpg -o large.png   enlarge an image
        aviary video model.h5 in.mp4 -o out.mp4      enlarge a video
        aviary eval bicubic --data Set5 --scale 2    measure quality
        aviary train residual-cae --data images --scale 2
        aviary bench residual-cae --layers           measure speed

      Results go to standard output; progress, notes, warnings and errors to standard error. An \
      error is one line.

      EXIT STATUS
      \(ExitStatus.table)

      ENVIRONMENT
        AVIARY_CHECKPOINTS  folders searched for checkpoints by name
        AVIARY_PLUGIN_PATH  plugins to load: absolute paths of files
        (separate several by colons)
        AVIARY_TUNE         autotuning: always, auto or never (aviary run --help)
        XDG_CACHE_HOME      where autotuning results are kept (default: ~/.cache)

      Completions: aviary --generate-completion-script bash (or zsh, fish).
      """,
    version: Aviary.version,
    subcommands: [
      ListCommand.self, InfoCommand.self, InspectCommand.self, ConvertCommand.self,
      DiffCommand.self, EditCommand.self, QuantizeCommand.self, TrainCommand.self, PlotCommand.self,
      RunCommand.self, VideoCommand.self, EvalCommand.self, CompareCommand.self, BenchCommand.self,
      FormatsCommand.self,
    ])

  /// Parses, runs, and exits with a documented status and at most one line for an error.
  static func main() {
    // Exceeding the file size limit is then an error like a full disk, rather than the end of the
    // program.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot(CommandArguments.all)
      try command.run()
    } catch let status as ExitCode where status != .success {
      // `run` continues after an image that fails, and has reported each one by the time it ends.
      exit(withError: status)
    } catch {
      let parsing = exitCode(for: error)
      // Help, the version and completion scripts are thrown, too: ArgumentParser prints them.
      if parsing.isSuccess { exit(withError: error) }
      // ArgumentParser uses its own status for its own errors; all other errors come from the
      // libraries.
      guard parsing == .validationFailure else {
        Console.error(error)
        exit(withError: ExitCode(ExitStatus(error).rawValue))
      }
      Console.error("\(message(for: error)) (see \(helpCommand))")
      exit(withError: ExitCode(ExitStatus.usage.rawValue))
    }
  }

  /// The help command for the subcommand that was called. ArgumentParser would print the full usage
  /// after an error; one line that says where to read on is better for logs.
  private static var helpCommand: String {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let called = CommandArguments.all.first.flatMap { names.contains($0) ? $0 : nil }
    return ["aviary", called, "--help"].compactMap { $0 }.joined(separator: " ")
  }
}
