internal import Glibc

/// The file that was at a path before writing, kept until the new one has been verified.
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
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let name = "\(path[..<slash]).aviary-\(getpid())-\(random).previous"
    wasThere = unsafe access(path, F_OK) == 0
    let isKept = unsafe wasThere && link(path, name) == 0
    kept = isKept ? name : nil
  }

  /// Restores the previous file; if there was none, removes the new one.
  func restore() {
    if let kept {
      // If nothing was written, both names are the same file, and renaming does nothing.
      _ = unsafe rename(kept, path)
      _ = unsafe unlink(kept)
    } else if !wasThere {
      _ = unsafe unlink(path)
    }
  }

  /// Discards the previous file.
  func discard() {
    if let kept { _ = unsafe unlink(kept) }
  }
}
