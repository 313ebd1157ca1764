import Glibc

/// The path of a file that is removed when it goes out of scope.
struct TemporaryPath: ~Copyable {
  let path: String

  init(_ path: String) { self.path = path }

  deinit { _ = unsafe unlink(path) }
}
