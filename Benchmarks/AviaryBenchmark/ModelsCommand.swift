internal import AviaryFormats
internal import AviaryCheckpoint
internal import Aviary
internal import AviaryGraph
internal import AviaryTraining
internal import ArgumentParser
internal import FoundationEssentials

/// Writes the networks of `works.json` as checkpoints: random weights, the same every time, or
/// those of a checkpoint of the repository. `Benchmarks/run` converts them for the peers.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Writes checkpoints of the networks that are timed.")

  @Argument(help: "The list, works.json.")
  var list: String

  @Argument(help: "The folder to fill.")
  var folder: String

  func run() throws {
    let networks = try WorkList.json(list)["networks"]?.object ?? [:]
    let zoo = Zoo(folders: [])
    for (name, network) in networks.sorted(by: { $0.key < $1.key }) {
      let path = "\(folder)/\(name).h5"
      guard !FileManager.default.fileExists(atPath: path) else { continue }
      if let checkpoint = network["checkpoint"]?.string {
        try FileManager.default.copyItem(atPath: checkpoint, toPath: path)
        continue
      }
      let (parts, weights) = try zoo.untrained(
        network["architecture"]?.string ?? name, configuration: network["configuration"] ?? [:],
        initialization: network["initialization"]?.string.flatMap(Recipe.Initialization.init)
          ?? .he)
      var model = Model(
        parts,
        weights: NamedTensors(
          parts.graph.parameters.compactMap { parameter in
            weights[parameter.name].map { (parameter.name, $0) }
          }))
      // Networks of three channels are given the colours as they are.
      if parts.graph.inputs[0].channels == 3 { model.picture = ImageSpec(.rgb) }
      _ = try model.checkpoint.write(to: path)
    }
  }
}
