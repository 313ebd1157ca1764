import AviaryFiles
import CHDF5

/// An HDF5 file open for reading. Its objects stay usable after it went out of scope.
struct HDF5File: ~Copyable {
  private let handle: HDF5Handle
  private let path: String

  /// Opens a file that someone else may have damaged or forged.
  init(reading path: String) throws(CheckpointError) {
    // Opening it ourselves first gives the system's own words for what is missing, and never waits
    // on a named pipe.
    let byteCount = try InputFile(weights: path).byteCount
    guard byteCount > 0 else { throw .notWeights(path: path, found: FileKind.empty.label) }
    let access = try HDF5Handle("the file", in: path) { H5Pcreate(chdf5_file_access()) }
    // No lock on the file: read-only shares and some network file systems refuse it.
    _ = try HDF5.check("the file", in: path) { H5Pset_file_locking(access.id, false, true) }
    let handle = try HDF5Handle("the file", in: path) {
      unsafe H5Fopen(path, chdf5_read_only(), access.id)
    }
    self.handle = handle
    self.path = path
  }

  /// The group that holds everything.
  func root() throws(CheckpointError) -> HDF5Group {
    let path = path
    let root = try HDF5Handle("the root group", in: path) { [id = handle.id] in
      unsafe H5Gopen2(id, "/", chdf5_default())
    }
    return HDF5Group(root, name: "/", path: path)
  }
}
