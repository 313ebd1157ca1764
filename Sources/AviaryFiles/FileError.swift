import Glibc

/// What the operating system, or what lies at a path, does not allow.
///
/// The modules above throw their own errors, with cases of these names and this text.
package enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or read.
  case cannotRead(path: String, reason: String)
  /// The file cannot be written; what was there before is untouched.
  case cannotWrite(path: String, reason: String)

  /// One line: the thing, and what is the matter.
  package var description: String {
    switch self {
    case .cannotRead(let path, let reason): "\(path): cannot be read: \(reason)"
    case .cannotWrite(let path, let reason): "\(path): cannot be written: \(reason)"
    }
  }
}

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
