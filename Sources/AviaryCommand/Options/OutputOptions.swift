import ArgumentParser
import AviaryGraph

/// How results are given.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print results as JSON.")
  var json = false

  @Flag(help: "No progress and no notes; warnings and errors remain.")
  var quiet = false

  /// Prints one of two forms of a result.
  func print(_ text: String, json: @autoclosure () throws -> JSON) throws {
    if self.json { try Console.print(json()) } else { try Console.print(text) }
  }
}
