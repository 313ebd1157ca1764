internal import AviaryFiles
public import AviaryGraph
internal import FoundationEssentials

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A plugin's library, loaded for the rest of the process's life. Everything unsafe about plugins
/// is here.
///
/// Loading runs the library's initializers, and each request runs its code: before any check, and
/// with all privileges of this process. The answer is only text.
///
/// - Note: `@unchecked Sendable`: the entry point is the address of a function, which never
///   changes, in a library that is never unloaded. AviaryGraph's own entry point may be called by
///   several threads at once.
@safe struct PluginLibrary: @unchecked Sendable {
  /// The most bytes read of an answer.
  static let answerLimit = 64 << 20

  private let path: String
  private let entryPoint: PluginEntryPoint

  /// Loads a library.
  ///
  /// - Parameter path: the path as the user gave it.
  /// - Throws: `PluginError.notLoadable` with the loader's reason, or `.noEntryPoint`.
  init(_ path: String) throws(PluginError) {
    self.path = path
    // The loader would search the system's folders for a name without a slash.
    let location = path.contains("/") ? path : "./\(path)"
    // Never closed: the metadata that Swift registers for a library cannot be unregistered.
    guard let handle = unsafe dlopen(location, RTLD_NOW | RTLD_LOCAL) else {
      throw .notLoadable(path: path, reason: PluginLibrary.loaderError(location))
    }
    guard let symbol = unsafe dlsym(handle, "aviary_plugin_v1") else {
      throw .noEntryPoint(path: path)
    }
    // The library promises this type; the symbol's name carries the version.
    unsafe entryPoint = unsafeBitCast(symbol, to: PluginEntryPoint.self)
  }

  /// Sends a request and returns the answer.
  ///
  /// - Throws: `PluginError.noAnswer` for no answer, or more than `answerLimit`.
  func ask(_ request: String) throws(PluginError) -> String {
    guard let answer = unsafe entryPoint(request) else { throw .noAnswer(path: path) }
    defer { unsafe free(answer) }
    let count = unsafe strnlen(answer, PluginLibrary.answerLimit + 1)
    guard count <= PluginLibrary.answerLimit else { throw .noAnswer(path: path) }
    return unsafe String(
      decoding: UnsafeRawBufferPointer(start: answer, count: count), as: UTF8.self)
  }

  /// The loader's error on one line, without the path, which messages already begin with.
  private static func loaderError(_ location: String) -> String {
    guard let text = unsafe dlerror() else { return "the loader refuses it" }
    let words = unsafe String(cString: text).split(whereSeparator: \.isNewline).joined(
      separator: " ")
    return words.hasPrefix("\(location): ") ? String(words.dropFirst(location.count + 2)) : words
  }
}

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
          path: path, "expected at most \(fileLimit) bytes, found \(file.byteCount)")
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
