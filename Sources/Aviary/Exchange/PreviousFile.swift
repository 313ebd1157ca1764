internal import AviaryContainers
internal import AviaryFiles
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The file that was at a path before writing, kept until the new one has been verified.
///
/// Kept as a hard link in the same folder, which costs nothing. If the file system or the system's
/// settings do not allow one (`fs.protected_hardlinks`, for somebody else's file), a copy is kept.
struct PreviousFile {
  /// With symbolic links resolved, as for writing: a hard link to a symbolic link would lead to the
  /// new file.
  private let path: FilePath
  private let kept: FilePath?
  private let wasThere: Bool

  /// - Parameter isLinked: whether to try a hard link before copying.
  /// - Throws: `CheckpointError.cannotWrite` if the file can be kept in neither way.
  init(_ path: String, isLinked: Bool = true) throws(CheckpointError) {
    let place: FilePath
    do throws(FileError) { place = try AtomicFile.resolved(path) } catch {
      throw CheckpointError(error)
    }
    self.path = place
    wasThere = unsafe place.withPlatformString { unsafe access($0, F_OK) } == 0
    guard wasThere else {
      kept = nil
      return
    }
    let name = AtomicFile.temporaryName(beside: place, ending: "previous")
    kept = name
    let isKept = unsafe place.withPlatformString { place in
      unsafe name.withPlatformString { unsafe isLinked && link(place, $0) == 0 }
    }
    if isKept { return }
    do { try FileManager.default.copyItem(atPath: place.string, toPath: name.string) } catch {
      PreviousFile.remove(name)
      throw .cannotWrite(
        path: path, reason: "what is there cannot be kept until the new file is checked")
    }
  }

  /// Restores the previous file; if there was none, removes the new one.
  func restore() {
    if let kept {
      // If nothing was written, both names are the same file, and renaming does nothing.
      _ = unsafe kept.withPlatformString { kept in
        unsafe path.withPlatformString { unsafe rename(kept, $0) }
      }
      PreviousFile.remove(kept)
    } else if !wasThere {
      PreviousFile.remove(path)
    }
  }

  /// Discards the previous file.
  func discard() {
    if let kept { PreviousFile.remove(kept) }
  }

  private static func remove(_ path: FilePath) {
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
  }
}
