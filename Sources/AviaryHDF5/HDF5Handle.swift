package import CHDF5

/// One identifier of the library (a file, group, data set, attribute, type, space or property
/// list), given back when it goes out of scope.
package struct HDF5Handle: ~Copyable, Sendable {
  package let id: hid_t

  /// Takes over the identifier that `body` makes.
  package init(_ part: String, _ body: () -> hid_t) throws(HDF5Error) {
    id = try HDF5.check(part, body)
  }

  deinit { HDF5.release(id) }
}
