import ArgumentParser
import Aviary
import AviaryFiles
import AviaryGraph
import AviaryImage
import AviaryTraining

/// `aviary plot`: draws training curves.
struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Plot the loss and PSNR of training runs.",
    discussion: """
      Reads the log.csv that `aviary train` writes, also while the training runs. The loss has a \
      logarithmic scale, with its moving average; validation PSNR is shown beside that of bicubic \
      enlargement. Several runs share one plot.

      EXAMPLES
        aviary plot runs/residual-cae-x2
        aviary plot runs/a runs/b -o curves.svg
      """)

  @Argument(
    help: ArgumentHelp("Run folders, or their log.csv.", valueName: "run"),
    completion: .directory)
  var runs: [String]

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "PNG or SVG to write (default: curves.png in the first run's folder).", valueName: "out"),
    completion: .file(extensions: ImageFormat.writable.flatMap(\.endings) + ["svg"]))
  var destination: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    let files = runs.map { PathKind(of: $0) == .folder ? "\($0)/\(LogTable.name)" : $0 }
    let path =
      destination
      ?? files[0].besides("curves.png")
    let isImage = ImageFormat.writing(path) != nil
    guard isImage || path.lowercased().hasSuffix(".svg") else {
      throw CommandError.plotName(path)
    }
    guard !files.contains(where: { path.isSameFile(as: $0) }) else {
      throw CommandError.outputIsInput(path)
    }
    let logs = try files.map { try LogTable(contentsOf: $0) }
    let plot = try CurvePlot(Array(zip(runs.map(\.runName), logs)))
    if isImage {
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
  /// A run's name: that of its folder.
  fileprivate var runName: String {
    let parts = pathNames
    guard let last = parts.last else { return self }
    return last == LogTable.name && parts.count > 1 ? parts[parts.count - 2] : last
  }
}
