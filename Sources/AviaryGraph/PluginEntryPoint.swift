internal import FoundationEssentials

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The type of a plugin library's one C function, `char *aviary_plugin_v1(const char *request)`.
/// Request and answer are JSON text; the answer is the caller's to `free`.
public typealias PluginEntryPoint =
  @convention(c) (UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>?

/// The entry point of a plugin library: it is in every image that AviaryGraph is linked into, and
/// speaks for the architectures linked into the same image. (The program carries it too, unused.)
@c(aviary_plugin_v1)
public func pluginEntryPoint(
  _ request: UnsafePointer<CChar>
) -> UnsafeMutablePointer<CChar>? {
  let answer: JSON
  do throws(GraphError) {
    let text = unsafe String(cString: request)
    answer = try PluginRequest(json: JSON(parsing: text)).answer(linkedArchitectures)
  } catch {
    answer = PluginRequest.reply("failure", .string("\(error)"))
  }
  return unsafe strdup(answer.text)
}
