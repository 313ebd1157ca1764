internal import ArgumentParser
internal import AviaryGraph
internal import Glibc

/// Times another program, start included, and measures its memory.
struct SpawnCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spawn", abstract: "Times a program; one JSON line.")

  @Option(help: "What is measured: inspect, convert, copy, …")
  var work: String

  @Option(help: "What it is measured on, such as the input's format.")
  var subject: String

  @Option(help: "The output's format, where there is one.")
  var target: String?

  @Option(help: "How often it is run; the median counts.")
  var runs = 3

  @Option(help: "A file that is removed before each run, which is not timed.")
  var removing: String?

  @Argument(parsing: .postTerminator, help: "The program and its arguments.")
  var program: [String]

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: expected at least 1, found \(runs)") }
  }

  func run() throws {
    var results: [SpawnedProgram] = []
    for _ in 0..<runs {
      if let removing { _ = unsafe unlink(removing) }
      results.append(try SpawnedProgram(program))
    }
    let seconds = results.map(\.seconds)
    let json: JSON = [
      "work": .string(work), "subject": .string(subject), "target": .string(target ?? ""),
      "seconds": .number(seconds.median.rounded(to: 4)),
      "fastest": .number((seconds.min() ?? .nan).rounded(to: 4)),
      "processor_seconds": .number(results.map(\.processorSeconds).median.rounded(to: 4)),
      "peak_bytes": .int(results.map(\.peakBytes).max() ?? 0),
    ]
    print(json.text)
  }
}
