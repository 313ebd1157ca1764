import Glibc
import Testing

/// A full disk, played by a limit on the size of files, in a process of its own.
enum FullDisk {
  /// From now on no file becomes larger than this.
  static func begin(bytes: UInt) throws {
    // The limit must be seen as a failed write, not as a signal.
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
    let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    try #require(status == 0)
  }
}
