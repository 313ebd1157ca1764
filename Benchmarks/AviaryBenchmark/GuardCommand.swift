internal import ArgumentParser
internal import AviaryCompute

/// Holds the engine's kernels and passes against the ways that they replace: ratios in one run, so
/// that a change that makes one of them slow is seen on any machine.
struct GuardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guard",
    abstract: "Holds kernels against what they replace; fails where one falls short.")

  @Option(help: "Only cases whose names contain this.")
  var only: String?

  @Option(help: "Runs of each way, in turns; the fastest counts.")
  var runs = 21

  @Option(help: "Threads.")
  var threads = 2

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: expected at least 1, found \(runs)") }
  }

  func run() throws {
    let engine = try Engine(threads: threads)
    var short: [String] = []
    print("| what | held against | ms | ours | ms | ratio | at least | |")
    print("|---|---|---|---|---|---|---|---|")
    for item in try GuardCase.all() where only.map({ item.name.contains($0) }) ?? true {
      let (other, ours) = try item.times(runs: runs, engine: engine)
      let isReached = other / ours >= item.bar
      if !isReached { short.append(item.name) }
      let cells = [
        item.name, item.other.name, other.text(2), item.ours.name, ours.text(2),
        (other / ours).text(2), item.bar.text(2), isReached ? "" : "falls short",
      ]
      print("| \(cells.joined(separator: " | ")) |")
    }
    guard short.isEmpty else { throw ExitCode.failure }
  }
}
