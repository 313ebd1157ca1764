import ArgumentParser
import Aviary
import AviaryGraph

/// Options that say which models are available.
struct ZooOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "Load architectures from a library or a JSON file; may be repeated.",
      discussion: "A library runs code: load only what you trust.", valueName: "path"),
    completion: .file(extensions: ["so", "json"]))
  var plugins: [String] = []

  /// The architectures, including those of plugins, and the checkpoints.
  ///
  /// - Throws: an error in a plugin.
  func zoo() throws -> Zoo { Zoo(registry: try Registry.builtin.loading(plugins: plugins)) }
}
