import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary diff`: compares two weights files.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two weights files, tensor by tensor.",
    discussion: """
      The files may differ in format, layout and names: each is compared as the network that it is \
      detected as, and renamed tensors are matched by shape and values. Equal tensors are counted; \
      the others are listed, largest difference first.

      The status is 0 if the weights are equal and the networks are, as far as the files say: of \
      weights alone the network is assumed, and the report says so. Otherwise it is 1.

      EXAMPLES
        aviary diff model.h5 weights.pth
        aviary diff FSRCNN-x2.h5 FSRCNN-x2.pt --all
        aviary diff before.h5 after.h5 --json | jq .largest
      """)

  @Argument(
    help: ArgumentHelp("Weights file of any format, or the name of a checkpoint.", valueName: "a"),
    completion: .models)
  var first: String

  @Argument(
    help: ArgumentHelp("Weights file to compare with.", valueName: "b"),
    completion: .models)
  var second: String

  @Flag(help: "Also list equal tensors.")
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
