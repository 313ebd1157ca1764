import AviaryCheckpoint
import AviaryFormats
import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary inspect`: what a weights file holds, as stored on disk.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is in a weights file.",
    discussion: """
      Reads weights of any format; only metadata, unless --statistics or --verify need the data. \
      Detects the architecture of third-party weights and lists what it assumes; if none fits, shows \
      the nearest one and what is missing. Never runs code from a file.

      EXAMPLES
        aviary inspect model.h5
        aviary inspect model.h5 --verify
        aviary inspect weights.pth --statistics
        aviary inspect weights.pth --json | jq -r '.tensors[].name'
      """)

  @Argument(
    help: ArgumentHelp(
      "Weights file of any format, or the name of a checkpoint.", valueName: "file"),
    completion: .models)
  var reference: String

  @Flag(
    help: "Read the data: range, mean, standard deviation, NaN and all-zero channels per tensor.")
  var statistics = false

  @Flag(help: "Read the data: verify the content hash, or compute it if none is stored.")
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
    case .external(let file):
      let inspection = try WeightsInspection(
        file, statistics: statistics, verify: verify, weights.importOptions(),
        registry: zoo.registry)
      try output.print(inspection.text, json: inspection.json)
    }
  }
}
