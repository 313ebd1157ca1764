internal import ArgumentParser
internal import AviaryFiles
internal import AviaryImage
internal import AviaryTraining

/// Draws the ratios of a file of results.
struct ChartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chart", abstract: "Draws the ratios of a file of JSON lines as a PNG and an SVG.")

  @Argument(help: "The list, works.json.")
  var list: String

  @Argument(help: "The file that Benchmarks/run has written.")
  var results: String

  @Argument(help: "The images to write, without their endings.")
  var target: String

  func run() throws {
    let figures = try Figure.read(results)
    let bars = try Work.all(list).map { WorkResult($0, figures) }.compactMap { result in
      result.ratio.map { ratio in
        BarPlot.Bar(
          label: result.work.title, value: ratio, mark: result.work.bar,
          note: "\(ratio.text(2))  \(result.peers.first?.peer ?? "")")
      }
    }
    guard !bars.isEmpty else { throw BenchmarkError.noRatios(path: results) }
    let plot = BarPlot(
      title: "How many times faster than the best peer (marks: what was asked for)", bars)
    try plot.image.write(to: "\(target).png")
    let file = try AtomicFile(replacing: "\(target).svg")
    try file.write(Array(plot.svg.utf8))
    try file.commit()
  }
}
