import AviaryFiles
import Glibc

/// What is at a path, with links followed.
enum PathKind {
  case file
  case folder
  case other

  /// Nil if nothing is there, or nothing that this user may see.
  init?(of path: String) {
    var status = stat()
    guard unsafe path.withPath({ unsafe stat($0, &status) }) == 0 else { return nil }
    self =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
  }

  /// A label for messages.
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
  /// Whether two paths lead to the same existing file.
  func isSameFile(as other: String) -> Bool {
    FileIdentity(of: self).map { $0 == FileIdentity(of: other) } ?? false
  }
}

/// A file's identity, whichever path leads to it. Two paths to one file, through links or `..`,
/// must not be taken for two files when one is read and the other written.
struct FileIdentity: Hashable {
  private let device: UInt
  private let number: UInt

  /// Nil if nothing is there.
  init?(of path: String) {
    var status = stat()
    guard unsafe path.withPath({ unsafe stat($0, &status) }) == 0 else { return nil }
    self.init(status)
  }

  /// Of what is read under this name: `-` is standard input, to which a file may be redirected.
  init?(ofInput path: String) {
    guard path == "-" else {
      self.init(of: path)
      return
    }
    var status = stat()
    guard unsafe fstat(STDIN_FILENO, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
  }
}
