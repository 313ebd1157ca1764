internal import ArgumentParser

/// Prints a table of a file of results.
struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Prints a table in Markdown of a file of JSON lines.")

  @Argument(help: "The list, works.json.")
  var list: String

  @Argument(help: "The file that Benchmarks/run has written.")
  var results: String

  func run() throws {
    let figures = try Figure.read(results)
    print(ComparisonTable(try Work.all(list).map { WorkResult($0, figures) }).markdown)
    func largest(_ precision: String) -> Double? {
      figures.filter { $0.isOurs && $0.work.hasPrefix("infer \(precision)") }
        .compactMap(\.difference).max()
    }
    let parts = [("float32", "f32", 1e-6), ("bfloat16", "bf16", 1e-2)].compactMap {
      name, short, unit in
      largest(short).map { "\(($0 / unit).text(2))e-\(short == "f32" ? 6 : 2) in \(name)" }
    }
    if !parts.isEmpty {
      print(
        "\nOurs differ from the networks' outputs in float64 by at most "
          + "\(parts.joined(separator: ", ")), as a part of the largest value.")
    }
  }
}
