internal import AviaryCheckpoint
public import AviaryGraph

extension Plugin {
  /// The bytes of a JSON file that are read at most.
  private static let fileLimit = 64 << 20

  /// The architectures of a file: a library, whose code runs, or a JSON file, which is data alone.
  /// Which of the two it is the content says, not the name.
  ///
  /// - Throws: `CheckpointError.cannotRead` for a path that leads to no file; `PluginError` for a
  ///   file that is neither, cannot be loaded, or does not answer as it must.
  public static func load(path: String) throws -> [AnyArchitecture] {
    switch try FileFormat.sniff(path) {
    case .elf:
      let library = try PluginLibrary(path)
      return try Plugin.architectures(path: path) { try library.ask($0) }
    case .json:
      return [try Plugin.architecture(path: path, declared: try json(path))]
    case let format:
      throw PluginError.notAPlugin(path: path, found: format.label)
    }
  }

  private static func json(_ path: String) throws -> JSON {
    let file = try InputFile(path)
    guard file.byteCount <= fileLimit else {
      throw PluginError.badFile(
        path: path, "at most \(fileLimit) bytes expected, \(file.byteCount) found")
    }
    let bytes = try file.read(at: 0, count: file.byteCount, part: "the plugin")
    do throws(GraphError) {
      return try JSON(parsing: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw PluginError.badFile(path: path, "\(error)")
    }
  }
}
