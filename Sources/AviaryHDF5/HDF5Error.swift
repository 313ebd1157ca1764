/// What is the matter inside an HDF5 file. Who knows the file's path says it to the user.
package enum HDF5Error: Error, Hashable, Sendable {
  /// The file contradicts itself, or the library's own words for what it cannot do.
  case damaged(part: String, reason: String)
  /// Sound, and not read here; `what` completes "… is not supported".
  case unsupported(what: String)
  /// A size that the file cannot hold, or that no file of weights needs.
  case tooLarge(part: String, limit: Int, found: Int)

  /// The part and what is the matter with it, for a message about writing.
  package var reason: String {
    switch self {
    case .damaged(let part, let reason): "\(part): \(reason)"
    case .unsupported(let what): "\(what) is not supported"
    case .tooLarge(let part, let limit, let found):
      "\(part): at most \(limit) expected, \(found) found"
    }
  }
}
