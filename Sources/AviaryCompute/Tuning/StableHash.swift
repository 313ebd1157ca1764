/// FNV-1a: the same on every machine and in every process, for names that need not be secret.
package enum StableHash {
  /// The hash in a few letters and digits.
  package static func text(_ text: String) -> String {
    let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 36)
  }
}
