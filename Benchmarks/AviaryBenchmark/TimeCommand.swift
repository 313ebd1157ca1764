internal import ArgumentParser
internal import AviaryCompute
internal import AviaryGraph

/// Times one work and prints a JSON line for each way in which the engine can do it.
struct TimeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "time", abstract: "Times the engine; one JSON line a figure.")

  @OptionGroup var listed: ListedWork

  @Option(help: "Runs that are timed; the median counts.")
  var runs = 9

  @Option(help: "Threads.")
  var threads = 2

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: expected at least 1, found \(runs)") }
  }

  func run() throws {
    let work = try listed.work()
    guard work.kind != .life else { return }
    let subject = try Subject(work, in: listed.models)
    let engine = try Engine(threads: threads)
    // Winograd's algorithm multiplies float32.
    for exact in work.isBfloat16 ? [false] : [false, true] {
      print(try Measurement(subject, runs: runs, exact: exact, engine: engine).json.text)
    }
  }
}
