import ArgumentParser
import AviaryGraph

/// The form of the output. Every subcommand prints text or JSON, made from the same facts.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print results as JSON.")
  var json = false

  @Flag(help: "Print no progress and no notes, only warnings and errors.")
  var quiet = false

  /// Prints a result as text or as JSON; the other form is not built.
  func print(_ text: String, json: @autoclosure () throws -> JSON) throws {
    if self.json { try Console.print(json()) } else { try Console.print(text) }
  }
}
