import CDNNL

#if canImport(Glibc)
  import Glibc
#endif

/// The processor and what calculates on it.
package enum Processor {
  /// Changed whenever the engine's own loops, or what is timed, change so much that earlier findings
  /// mislead.
  private static let kernels = 1

  /// What findings hold for: the processor's model, the instructions used, oneDNN's version, and that
  /// of the engine's own loops. One line.
  package static var identity: String {
    var text = "\(model), instructions \(dnnl_get_effective_cpu_isa().rawValue)"
    if let version = unsafe dnnl_version() {
      let (major, minor) = unsafe (version.pointee.major, version.pointee.minor)
      text += unsafe ", oneDNN \(major).\(minor).\(version.pointee.patch)"
    }
    return "\(text), kernels \(kernels)"
  }

  /// The model's name as the system has it, or nothing.
  private static var model: String {
    let descriptor = unsafe open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    // The first core's entry; of hundreds the system would have to write the others, too.
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last ?? ""
    return name.split(separator: " ").joined(separator: " ")
  }
}
