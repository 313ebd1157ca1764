import ArgumentParser
import Aviary
import AviaryFiles
import AviaryGraph
import AviaryImage
import AviaryTraining

/// `aviary plot`: the curves of trainings.
struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw the loss and the PSNR of trainings.",
    discussion: """
      Reads the log.csv that `aviary train` writes as it goes, of a training that still runs, too. \
      The loss is on a logarithmic scale, the mean of late steps over the single ones; beside the \
      PSNR of validation stands that of bicubic enlargement. Several runs are drawn over each other.

      EXAMPLES
        aviary plot runs/residual-cae-x2
        aviary plot runs/a runs/b -o curves.svg
      """)

  @Argument(
    help: ArgumentHelp("Folders of runs, or their log.csv.", valueName: "run"),
    completion: .directory)
  var runs: [String]

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "The PNG or SVG to write (default: curves.png in the first run's folder).", valueName: "out"),
    completion: .file(extensions: ["png", "svg"]))
  var destination: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    let files = runs.map { PathKind(of: $0) == .folder ? "\($0)/\(LogTable.name)" : $0 }
    let path =
      destination
      ?? files[0].split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/").joinedPath("curves.png")
    let name = path.lowercased()
    guard name.hasSuffix(".png") || name.hasSuffix(".svg") else {
      throw CommandError.plotName(path)
    }
    guard !files.contains(where: { path.isSameFile(as: $0) }) else {
      throw CommandError.outputIsInput(path)
    }
    let logs = try files.map { try LogTable(contentsOf: $0) }
    let plot = try CurvePlot(Array(zip(runs.map(\.runName), logs)))
    if name.hasSuffix(".png") {
      try plot.image.write(to: path)
    } else {
      do throws(FileError) {
        let file = try AtomicFile(replacing: path)
        try file.write(Array(plot.svg.utf8))
        try file.commit()
      } catch {
        throw TrainingError(error)
      }
    }
    let steps = logs.map { $0.rows.last?.step ?? 0 }
    try output.print(
      "\(path.printable): \(zip(runs, steps).map { "\($0.printable) to step \($1)" }.joined(separator: ", "))",
      json: ["output": .string(path), "steps": .array(steps.map { .int($0) })])
  }
}

extension String {
  /// A file in the folder of this path, the current one for none.
  fileprivate func joinedPath(_ name: String) -> String { isEmpty ? name : "\(self)/\(name)" }

  /// What a run is called: its folder's name.
  fileprivate var runName: String {
    let parts = split(separator: "/").map(String.init)
    guard let last = parts.last else { return self }
    return last == LogTable.name && parts.count > 1 ? parts[parts.count - 2] : last
  }
}
