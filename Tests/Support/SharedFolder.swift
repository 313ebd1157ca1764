public import FoundationEssentials

/// Data that tests may read and the project must not contain (benchmark images, other people's
/// weights): the folder `shared` beside the checkout, where there is one.
public enum SharedFolder {
  /// The root of this checkout.
  public static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Whether the folder is there; tests that need it are skipped where it is not.
  public static var isPresent: Bool { url != nil }

  /// The path of something in the shared folder, or nil where that is absent.
  ///
  /// The folder lies beside the checkout, or one level higher for a linked worktree.
  public static func path(_ relative: String) -> String? {
    url?.appending(path: relative).path
  }

  private static let url: URL? = ["../shared", "../../shared"]
    .map { repository.appending(path: $0).standardized }
    .first { FileManager.default.fileExists(atPath: $0.path) }
}
