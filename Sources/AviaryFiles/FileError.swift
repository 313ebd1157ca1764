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
