internal import ArgumentParser
internal import AviaryCompute
internal import AviaryGraph

/// Times every network at every size and prints one JSON line each.
struct TimeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "time", abstract: "Times the engine; one JSON line a figure.")

  @Option(help: "The folder that Benchmarks/reference.py has filled; random weights without it.")
  var references: String?

  @Option(help: "Runs that are timed; the median counts.")
  var runs = 9

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "Only sizes or networks that contain this.")
  var only: String?

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: at least 1 expected, \(runs) found") }
  }

  func run() throws {
    let engine = try Engine(threads: threads)
    for work in Work.all where only.map({ "\(work.network) \(work.size)".contains($0) }) ?? true {
      let subject =
        try references.map { try Subject(work, references: $0) } ?? Subject(random: work)
      for exact in [false, true] {
        print(try Measurement(subject, runs: runs, exact: exact, engine: engine).json.text)
      }
    }
  }
}
