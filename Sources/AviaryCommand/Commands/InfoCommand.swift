import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary info`: describes an architecture in one configuration, or a file as its user sees it.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Describe an architecture or a checkpoint.",
    discussion: """
      Shows the facts that follow from the graph: parameters, multiply-adds for a 1280x720 result, \
      accepted sizes, tiling. --json includes the graph itself.

      EXAMPLES
        aviary info fusion-cae
        aviary info fusion-cae:x4
        aviary info plain-cae --config '{"padding": "valid"}'
        aviary info model.h5
        aviary info residual-cae --json | jq .graph
      """)

  @Argument(
    help: ArgumentHelp(
      "ARCHITECTURE[:PRESET], a checkpoint (path or name) or third-party weights.",
      valueName: "name-or-file"),
    completion: .models)
  var reference: String

  @Option(help: ArgumentHelp("Preset of the architecture.", valueName: "name"))
  var preset: String?

  @Option(
    help: ArgumentHelp("Configuration members to change.", valueName: "json"),
    transform: JSONObject.init)
  var config: JSONObject?

  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    let zoo = try zooOptions.zoo()
    // A file or a checkpoint of the zoo takes precedence over an architecture of the same name, as
    // in `run`.
    if let path = zoo.file(reference) {
      try requireNoConfiguration()
      let description = try FileDescription(path, registry: zoo.registry)
      return try output.print(description.text, json: description.json)
    }
    let description = try describe(zoo)
    try output.print(description.text, json: description.json)
  }

  private func describe(_ zoo: Zoo) throws -> ArchitectureDescription {
    let parts = reference.split(separator: ":", maxSplits: 1).map(String.init)
    let name = parts.first ?? reference
    if parts.count > 1, preset != nil {
      throw ValidationError("\(reference): names a preset, and --preset a second; give one of them")
    }
    let preset = parts.count > 1 ? parts[1] : preset
    let names = zoo.registry.architectures.map(\.info.name)
    guard names.contains(name) else {
      let known = names + zoo.checkpoints.map(\.name)
      throw AviaryError.noSuchModel(reference, nearest: name.nearest(in: known))
    }
    return try ArchitectureDescription(
      zoo.registry[name], preset: preset, changes: config?.json ?? [:])
  }

  private func requireNoConfiguration() throws {
    let stated = [preset.map { _ in "--preset" }, config.map { _ in "--config" }]
      .compactMap { $0 }
    guard stated.isEmpty else {
      throw CommandError.notForModel(reference, options: stated, why: "it is a file")
    }
  }
}
