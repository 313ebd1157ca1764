internal import AviaryFiles
public import AviaryGraph

extension Plugin {
  /// The most bytes read from a JSON file.
  private static let fileLimit = 64 << 20

  /// The architectures in a file: a library, whose code runs, or a JSON file, which is only data.
  /// The content decides which of the two it is, not the name.
  ///
  /// - Throws: `PluginError.cannotRead` for a path that leads to no file; other cases for a file
  ///   that is neither kind, cannot be loaded, or does not answer as it must.
  public static func load(path: String) throws -> [AnyArchitecture] {
    do {
      return try architectures(of: InputFile(path))
    } catch let error as FileError {
      guard case .cannotRead(_, let reason) = error else { throw error }
      throw PluginError.cannotRead(path: path, reason: reason)
    }
  }

  private static func architectures(of file: borrowing InputFile) throws -> [AnyArchitecture] {
    let path = file.path
    switch FileKind(beginning: try file.bytes(at: 0, count: 4_096)) {
    case .elf:
      let library = try PluginLibrary(path)
      return try Plugin.architectures(path: path) { try library.ask($0) }
    case .json:
      guard file.byteCount <= fileLimit else {
        throw PluginError.badFile(
          path: path, "at most \(fileLimit) bytes expected, \(file.byteCount) found")
      }
      let bytes = try file.bytes(at: 0, count: file.byteCount)
      return [try Plugin.architecture(path: path, declared: try json(bytes, path))]
    case let kind:
      throw PluginError.notAPlugin(path: path, found: kind.label)
    }
  }

  private static func json(_ bytes: [UInt8], _ path: String) throws -> JSON {
    do throws(GraphError) {
      return try JSON(parsing: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw PluginError.badFile(path: path, "\(error)")
    }
  }
}
