import Glibc

/// The system's words for why a call failed.
package enum SystemReason {
  /// The reason of the call that failed last on this thread.
  package static var last: String { text(errno) }

  /// What a value of `errno` says.
  package static func text(_ number: CInt) -> String {
    // strerror's buffer is shared; the thread-safe form writes into ours.
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    let text = String(
      decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    // It goes on a sentence.
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
