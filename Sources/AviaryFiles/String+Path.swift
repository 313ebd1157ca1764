import SystemPackage

/// The parts of paths. Slashes at the end and doubled ones do not count, `.` and `..` are names.
extension String {
  /// The last name of a path; the path itself where it has none, as `/`.
  package var fileName: String { FilePath(self).lastComponent?.string ?? self }

  /// The last name of a path without its ending.
  package var fileStem: String { FilePath(self).stem ?? fileName }

  /// The names of a path from the first to the last.
  package var pathNames: [String] { FilePath(self).components.map(\.string) }

  /// A file in the folder in which the file of this path lies.
  package func besides(_ name: String) -> String {
    FilePath(self).removingLastComponent().appending(name).string
  }

  /// The folder in which the file of this path lies: `.` where it says none.
  package var folder: String { FilePath(self).folder.string }
}

extension FilePath {
  /// The folder in which a file of this path lies: `.` where it says none.
  var folder: FilePath {
    let folder = removingLastComponent()
    return folder.isEmpty ? "." : folder
  }
}
