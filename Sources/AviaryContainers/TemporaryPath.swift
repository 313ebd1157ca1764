import Glibc

/// The path of a file that is removed when it goes out of scope.
package struct TemporaryPath: ~Copyable {
  package let path: String

  package init(_ path: String) { self.path = path }

  deinit { _ = unsafe unlink(path) }
}
