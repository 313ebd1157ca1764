/// The versions of the native format. Version 1 is described in Docs/CheckpointFormat.md.
///
/// A reader switches over all cases, so that a new version does not compile before it is said how
/// each older one becomes it. A fixture of every version stays in the tests for ever.
enum CheckpointVersion: Int, CaseIterable {
  case one = 1

  /// What this version of Aviary writes.
  static let current = CheckpointVersion.one
}
