internal import ArgumentParser
internal import AviaryGraph
internal import FoundationEssentials

/// Prints the tables of a file of results of `Benchmarks/exchange`.
struct ExchangeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exchange", abstract: "Prints tables in Markdown of what spawn has measured.")

  @Argument(help: "The file that Benchmarks/exchange has written.")
  var results: String

  func run() throws {
    guard let text = try? String(contentsOfFile: results, encoding: .utf8) else {
      throw BenchmarkError.unreadable(path: results)
    }
    var lines: [JSON] = []
    for (index, line) in text.split(separator: "\n").enumerated() {
      do throws(GraphError) { lines.append(try JSON(parsing: line)) } catch {
        throw BenchmarkError.line(path: results, number: index + 1, problem: "\(error)")
      }
    }
    print(ExchangeTable(lines).markdown)
  }
}
