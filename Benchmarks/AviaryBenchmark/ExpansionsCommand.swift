internal import ArgumentParser
internal import AviaryCompute

/// Holds operations of the engine's against loops in C as one would write them by hand.
struct ExpansionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "expansions",
    abstract:
      "Holds operations against hand-written loops; fails where one takes 1.5 times as long.")

  @Option(help: "Only operations whose names contain this.")
  var only: String?

  @Option(help: "Runs of each, in turns; the fastest counts.")
  var runs = 21

  @Option(help: "Threads.")
  var threads = 2

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: at least 1 expected, \(runs) found") }
  }

  func run() throws {
    let engine = try Engine(threads: threads)
    var isShort = false
    print("| operation | shape | engine, ms | loop, ms | ratio | at most | |")
    print("|---|---|---|---|---|---|---|")
    for item in ExpansionCase.all where only.map({ item.name.contains($0) }) ?? true {
      let (loop, own) = try item.times(runs: runs, engine: engine)
      let isReached = own <= ExpansionCase.bar * loop
      isShort = isShort || !isReached
      let cells = [
        item.name, item.shape.map(String.init).joined(separator: "x"), own.text(2), loop.text(2),
        (own / loop).text(2), ExpansionCase.bar.text(2), isReached ? "" : "falls short",
      ]
      print("| \(cells.joined(separator: " | ")) |")
    }
    if isShort { throw ExitCode.failure }
  }
}
