internal import FoundationEssentials

/// How much tests do: a part that a change must pass, or everything there is (`AVIARY_ALL`).
package enum Extent {
  /// Whether everything is wanted.
  package static let isWhole = ProcessInfo.processInfo.environment["AVIARY_ALL"] != nil

  /// The numbers of `count` cases, or of every fifth.
  package static func numbers(of count: Int) -> [Int] {
    Array(stride(from: 0, to: count, by: isWhole ? 1 : 5))
  }
}
