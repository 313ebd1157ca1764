internal import AviaryGraph

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
/// - Note: `@unchecked Sendable`: the entry point is the address of a function, which never changes,
///   in a library that is never unloaded. AviaryGraph's own entry point may be called by several
///   threads at once.
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
