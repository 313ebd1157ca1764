/// The program as a whole.
public enum Aviary {
  /// The version, by semantic versioning.
  public static let version = "0.3.0"
  /// What checkpoints say they were created by.
  static let versionLine = "aviary \(version)"
}
