import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary diff`: two files of weights held against each other.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two files of weights, tensor by tensor.",
    discussion: """
      The files may be of different formats, layouts and names: each is taken for the network that \
      it is recognised as, and what has another name is found by shape and values. Equal tensors \
      are counted; those that differ are listed, the most different first.

      The status is 0 if both are the same network with equal weights, and 1 if not.

      EXAMPLES
        aviary diff model.h5 weights.pth
        aviary diff FSRCNN-x2.h5 FSRCNN-x2.pt --all
        aviary diff before.h5 after.h5 --json | jq .largest
      """)

  @Argument(
    help: ArgumentHelp("A file of weights, or the name of a checkpoint.", valueName: "a"),
    completion: .models)
  var first: String

  @Argument(
    help: ArgumentHelp("Another.", valueName: "b"),
    completion: .models)
  var second: String

  @Flag(help: "List equal tensors, too.")
  var all = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    let zoo = try zooOptions.zoo()
    let comparison = try WeightsComparison(
      zoo.file(first) ?? first, zoo.file(second) ?? second, weights.importOptions(),
      registry: zoo.registry)
    let report = DifferenceReport(comparison: comparison, listsEqual: all)
    try output.print(report.text, json: report.json)
    if !comparison.isSame { throw ExitCode(ExitStatus.failure.rawValue) }
  }
}
