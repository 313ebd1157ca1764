internal import ArgumentParser
internal import AviaryCompute
internal import AviaryThreads

/// Holds what the engine makes of small operations against loops written by hand, in one run and in
/// turns, so that a change that makes one slow is seen on any machine.
struct ExpansionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "expansions",
    abstract: "Holds operations made of others against hand-written loops; fails where one is slow."
  )

  @Option(help: "Only cases whose names contain this.")
  var only: String?

  @Option(help: "Runs of each, in turns; the fastest counts.")
  var runs = 21

  @Option(help: "Threads.")
  var threads = 2

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: expected at least 1, found \(runs)") }
    guard threads > 0 else {
      throw ValidationError("threads: expected at least 1, found \(threads)")
    }
  }

  func run() throws {
    let engine = try Engine(threads: threads)
    let workers = ThreadPool(count: threads)
    var isSlow = false
    print("| what | size | loop by hand, ms | ours, ms | ratio | at most | largest difference | |")
    print("|---|---|---|---|---|---|---|---|")
    for item in try ExpansionCase.all() where only.map({ item.name.contains($0) }) ?? true {
      let result = try item.times(runs: runs, engine, workers)
      let ratio = result.ours / result.loop
      let isReached = ratio <= ExpansionCase.bar && result.difference <= ExpansionCase.tolerance
      if !isReached { isSlow = true }
      let cells = [
        item.name, item.shapes[0].map(String.init).joined(separator: "x"), result.loop.text(2),
        result.ours.text(2), ratio.text(2), ExpansionCase.bar.text(2), "\(result.difference)",
        isReached ? "" : "falls short",
      ]
      print("| \(cells.joined(separator: " | ")) |")
    }
    guard !isSlow else { throw ExitCode.failure }
  }
}
