import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary list`: the names that the other commands accept.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List architectures and checkpoints.",
    discussion: """
      Checkpoints are searched in the folders of $AVIARY_CHECKPOINTS, else in `checkpoints` in the \
      current folder and beside the program.

      EXAMPLES
        aviary list
        aviary list '*cae*' --long
        aviary list --json | jq -r '.architectures[].name'
      """)

  @Argument(
    help: "List only names that match this pattern (* and ?).", completion: .architectures)
  var pattern = "*"

  @Flag(
    name: .shortAndLong,
    help: "Also list parameters and scale of each default preset, for which it is built.")
  var long = false

  @Flag(help: "Print the architectures as a Markdown table.")
  var markdown = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    guard !(markdown && output.json) else {
      throw ValidationError("--json and --markdown exclude each other; give one of them")
    }
  }

  func run() throws {
    let zoo = try zooOptions.zoo()
    let builds = long || markdown || output.json
    let architectures = try zoo.registry.matching(pattern).map {
      try ArchitectureEntry($0, builds: builds)
    }
    let checkpoints = markdown ? [] : CheckpointEntry.all(in: zoo, matching: pattern)
    // Nothing found is an error, as in `grep`, so that scripts need not count lines.
    guard !architectures.isEmpty || !checkpoints.isEmpty else {
      let names = zoo.registry.architectures.map(\.info.name) + zoo.checkpoints.map(\.name)
      throw AviaryError.noSuchModel(pattern, nearest: pattern.nearest(in: names))
    }
    if markdown {
      return try Console.print(ArchitectureEntry.table(architectures, links: true).markdown)
    }
    var tables: [String] = []
    if !architectures.isEmpty {
      tables.append(ArchitectureEntry.table(architectures, links: false).text)
    }
    if !checkpoints.isEmpty { tables.append(CheckpointEntry.table(checkpoints).text) }
    try output.print(
      tables.joined(separator: "\n\n"),
      json: [
        "architectures": .array(architectures.map(\.json)),
        "checkpoints": .array(checkpoints.map(\.json)),
      ])
  }
}
