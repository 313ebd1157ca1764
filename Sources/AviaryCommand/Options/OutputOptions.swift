import ArgumentParser
import AviaryGraph

/// How results are given. Every subcommand has both forms, made from the same facts.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print results as JSON.")
  var json = false

  @Flag(help: "Print no progress and no notes, only warnings and errors.")
  var quiet = false

  /// Prints one of two forms of a result; the other is not made.
  func print(_ text: String, json: @autoclosure () throws -> JSON) throws {
    if self.json { try Console.print(json()) } else { try Console.print(text) }
  }
}
