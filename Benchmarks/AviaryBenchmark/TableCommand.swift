internal import ArgumentParser

/// Prints a table of a file of results.
struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Prints a table in Markdown of a file of JSON lines.")

  @Argument(help: "The file that Benchmarks/run has written.")
  var results: String

  func run() throws {
    let figures = try Figure.read(results)
    print(ComparisonTable(figures).markdown)
    if let difference = figures.compactMap(\.difference).max() {
      print(
        "\nLargest difference from PyTorch: \((difference * 1e6).text(2))e-6 of the largest value"
      )
    }
  }
}
