import AviaryFiles
import Glibc

/// Which files of folders are new, or have changed, and are whole.
///
/// A file is taken for whole once it is the same at two looks: programs write large images for a while.
struct FolderWatch {
  /// What changes when a file does.
  private struct Stamp: Hashable {
    let byteCount: Int
    let seconds: Int
    let nanoseconds: Int

    /// Nil where nothing is there.
    init?(of path: String) {
      var status = stat()
      guard unsafe path.withPath({ unsafe stat($0, &status) }) == 0 else { return nil }
      byteCount = Int(status.st_size)
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  /// Those that were handed over.
  private var done: [String: Stamp] = [:]
  /// Those that were seen at the last look.
  private var seen: [String: Stamp] = [:]

  /// What is there already is done with.
  init(_ files: [InputList.File]) {
    for file in files { done[file.path] = Stamp(of: file.path) }
  }

  /// Of the files that are there now, those that are new and whole.
  mutating func look(_ files: [InputList.File]) -> [InputList.File] {
    var now: [String: Stamp] = [:]
    for file in files { now[file.path] = Stamp(of: file.path) }
    defer { seen = now }
    return files.filter { file in
      guard let stamp = now[file.path], stamp != done[file.path], stamp == seen[file.path] else {
        return false
      }
      done[file.path] = stamp
      return true
    }
  }
}
