internal import AviaryCheckpoint
internal import AviaryFiles
internal import FoundationEssentials
internal import Glibc

/// What lies at a path before something is written there, kept until what was written has proven sound.
///
/// Kept under a second name in the same folder, which costs nothing. Where the file system or the
/// system's owner allows none (`fs.protected_hardlinks`, for somebody else's file), a copy is kept.
struct PreviousFile {
  /// Behind symbolic links, where writing goes, too: a second name of a link would lead to what was
  /// written.
  private let path: String
  private let kept: String?
  private let wasThere: Bool

  /// - Parameter isLinked: false copies at once, as where there can be no second name.
  /// - Throws: `CheckpointError.cannotWrite` where what is there can be kept in neither way.
  init(_ path: String, isLinked: Bool = true) throws(CheckpointError) {
    let place: String
    do throws(FileError) { place = try AtomicFile.resolved(path) } catch {
      throw CheckpointError(error)
    }
    self.path = place
    wasThere = unsafe access(place, F_OK) == 0
    guard wasThere else {
      kept = nil
      return
    }
    let folder = place.lastIndex(of: "/").map { place[...$0] } ?? ""
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let name = "\(folder).aviary-\(getpid())-\(random).previous"
    kept = name
    if unsafe isLinked && link(place, name) == 0 { return }
    do { try FileManager.default.copyItem(atPath: place, toPath: name) } catch {
      _ = unsafe unlink(name)
      throw .cannotWrite(
        path: path, reason: "what is there cannot be kept until the new file is checked")
    }
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
