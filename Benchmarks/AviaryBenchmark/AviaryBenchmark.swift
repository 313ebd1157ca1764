internal import ArgumentParser

/// Times the engine for `Benchmarks/run`, which puts it beside other frameworks.
@main
struct AviaryBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aviary-benchmark",
    abstract: "Times inference, and compares it with figures of other frameworks.",
    discussion: "Benchmarks/run calls it; Docs/Performance.md says what is measured and how.",
    subcommands: [TimeCommand.self, LayersCommand.self, TableCommand.self])
}
