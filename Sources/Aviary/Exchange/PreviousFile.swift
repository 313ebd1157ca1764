internal import AviaryFiles
internal import Glibc

/// What lies at a path before something is written there, kept until what was written has proven sound.
///
/// Kept under a second name in the same folder, which costs nothing; on a file system without such
/// names, nothing is kept.
struct PreviousFile {
  private let path: String
  private let kept: String?
  private let wasThere: Bool

  init(_ path: String) {
    self.path = path
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let random = RandomName.text
    let name = "\(path[..<slash]).aviary-\(getpid())-\(random).previous"
    wasThere = unsafe access(path, F_OK) == 0
    let isKept = unsafe wasThere && link(path, name) == 0
    kept = isKept ? name : nil
  }

  /// Puts back what was there; a file where none was is removed.
  func restore() {
    if let kept {
      // Where nothing was written both names are one file: renaming does nothing then.
      _ = unsafe rename(kept, path)
      _ = unsafe unlink(kept)
    } else if !wasThere {
      _ = unsafe unlink(path)
    }
  }

  /// Lets go of what was there.
  func discard() {
    if let kept { _ = unsafe unlink(kept) }
  }
}
