import AviaryCheckpoint
import AviaryFormats
import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary inspect`: a file of weights as it lies on the disk.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is in a file of weights.",
    discussion: """
      Weights of any format: of data only descriptions are read, unless --statistics or --verify \
      ask for them. Other frameworks' weights are recognised, and it is said what is assumed; where \
      nothing fits, what comes nearest and what it lacks. Nothing in a file is ever run.

      EXAMPLES
        aviary inspect model.h5
        aviary inspect model.h5 --verify
        aviary inspect weights.pth --statistics
        aviary inspect weights.pth --json | jq -r '.tensors[].name'
      """)

  @Argument(
    help: ArgumentHelp("A file of weights, or the name of a checkpoint.", valueName: "file"),
    completion: .models)
  var reference: String

  @Flag(help: "Read the data: range, mean, deviation, NaN and all-zero channels of each tensor.")
  var statistics = false

  @Flag(help: "Read the data: compare the content hash with the stored one, or compute it.")
  var verify = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    let zoo = try zooOptions.zoo()
    let path = zoo.file(reference) ?? reference
    switch try ModelFile.open(path, weights.reading) {
    case .native(let file):
      let inspection = try CheckpointInspection(file, statistics: statistics, verify: verify)
      try output.print(inspection.text, json: inspection.json)
    case .foreign(let file):
      let inspection = try WeightsInspection(
        file, statistics: statistics, verify: verify, weights.importOptions(),
        registry: zoo.registry)
      try output.print(inspection.text, json: inspection.json)
    }
  }
}
