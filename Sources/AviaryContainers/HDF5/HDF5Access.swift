/// How HDF5 files are read. The library that reads them has faults of memory that a crafted file can
/// reach.
public enum HDF5Access: Hashable, Sendable {
  /// Without the library where a file is as simple as checkpoints are, else by the package's helper
  /// program `aviary-hdf5`, which can open nothing and write nothing: for files from anywhere.
  case isolated
  /// In this process: for files whose writer is trusted, and for programs installed without the
  /// helper.
  case trusted
}
