import ArgumentParser
import Aviary
import AviaryGraph

/// What models there are.
struct ZooOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "Load architectures from a library or a JSON file; may be repeated.",
      discussion: "A library's code runs: load only what you trust.", valueName: "path"),
    completion: .file(extensions: ["so", "json"]))
  var plugins: [String] = []

  /// The architectures, those of plugins included, and the checkpoints.
  ///
  /// - Throws: what is wrong with a plugin.
  func zoo() throws -> Zoo { Zoo(registry: try Registry.builtin.loading(plugins: plugins)) }
}
