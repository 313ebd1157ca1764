/// Names for files that are there for a moment only, beside others of the kind.
package enum RandomName {
  /// Letters and digits that nothing else has, in all likelihood.
  package static var text: String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
