internal import ArgumentParser

/// Times the engine for `Benchmarks/run`, which puts it beside other frameworks, and the program
/// for `Benchmarks/exchange`.
@main
struct AviaryBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aviary-benchmark",
    abstract: "Times inference and conversion, and compares the times with others'.",
    discussion: """
      Benchmarks/run and Benchmarks/exchange call it; Docs/Performance.md says what is measured and \
      how.
      """,
    subcommands: [
      ModelsCommand.self, TimeCommand.self, LifeCommand.self, GuardCommand.self,
      ExpansionsCommand.self,
      AccuracyCommand.self, TableCommand.self, ChartCommand.self,
      CheckpointCommand.self,
      ArraysCommand.self, SpawnCommand.self, ExchangeCommand.self,
      OperationsCommand.self,
    ])
}
