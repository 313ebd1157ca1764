import Glibc

/// What lies at a path, as the file system sees it, links followed.
enum PathKind {
  case file
  case folder
  case other

  /// Nil where nothing is there, or nothing that this user may see.
  init?(of path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
  }

  /// For messages.
  static func label(of path: String) -> String {
    switch PathKind(of: path) {
    case .file: "a file"
    case .folder: "a folder"
    case .other: "something else"
    case nil: "none"
    }
  }
}

extension String {
  /// Whether two paths lead to one file that is there.
  func isSameFile(as other: String) -> Bool {
    FileIdentity(of: self).map { $0 == FileIdentity(of: other) } ?? false
  }
}

/// A file's identity, whatever path leads to it: two paths of one file, by links or by `..`, must not
/// be taken for two files where one is read and the other written.
struct FileIdentity: Hashable {
  private let device: UInt
  private let number: UInt

  /// Nil where nothing is there.
  init?(of path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
  }
}
