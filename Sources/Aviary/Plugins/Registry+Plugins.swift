public import AviaryGraph
internal import FoundationEssentials

extension Registry {
  /// The environment variable that lists plugins.
  public static let pluginVariable = "AVIARY_PLUGIN_PATH"

  /// The registry with the architectures of plugins added: first those listed in
  /// `$AVIARY_PLUGIN_PATH` (absolute paths of files, separated by colons), then those given by the
  /// user. A file that is named twice is loaded once.
  ///
  /// Nothing else loads a plugin: no folder is searched, and no checkpoint may name one.
  ///
  /// - Parameters:
  ///   - plugins: paths given by the user.
  ///   - environment: the variables; those of the process unless stated.
  /// - Throws: `PluginError`, among it `.relativeEntry` for an entry of the variable that is not
  ///   absolute and `.duplicate` for a name that is taken; `PluginError.cannotRead` for a path
  ///   that leads to no file.
  public func loading(
    plugins: [String], environment: [String: String]? = nil
  ) throws -> Registry {
    // Empty entries come from unset or joined variables and mean nothing.
    let environment = environment ?? ProcessInfo.processInfo.environment
    let listed = (environment[Registry.pluginVariable] ?? "").split(separator: ":").map(String.init)
    for entry in listed where !entry.hasPrefix("/") { throw PluginError.relativeEntry(entry) }
    var registry = self
    var loaded: Set<String> = []
    for path in listed + plugins {
      let location = URL(filePath: path).resolvingSymlinksInPath().path
      guard loaded.insert(location).inserted else { continue }
      for architecture in try Plugin.load(path: path) {
        do throws(RegistryError) {
          try registry.register(architecture)
        } catch {
          throw PluginError.duplicate(path: path, name: architecture.info.name)
        }
      }
    }
    return registry
  }
}
