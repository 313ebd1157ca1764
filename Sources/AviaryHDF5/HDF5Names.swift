import CHDF5

/// Gathers the names that an iteration of the library visits.
struct HDF5Names {
  private var names: [String] = []
  private var hasOther = false

  /// Runs an iteration; its callback hands each name and the context on to `add`.
  static func collect(
    in part: String, _ iterate: (UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    var found = HDF5Names()
    _ = try HDF5.check(part) {
      unsafe withUnsafeMutablePointer(to: &found) { unsafe iterate(UnsafeMutableRawPointer($0)) }
    }
    // Such a name could not be asked for later: it would be another one.
    guard !found.hasOther else { throw .unsupported(what: "\(part): a name that is not UTF-8") }
    return found.names
  }

  /// Adds a name; the value is what tells the library to go on.
  static func add(_ name: UnsafePointer<CChar>?, to context: UnsafeMutableRawPointer?) -> herr_t {
    guard let name = unsafe name,
      let found = unsafe context?.assumingMemoryBound(to: HDF5Names.self)
    else { return -1 }
    if let name = unsafe String(validatingCString: name) {
      unsafe found.pointee.names.append(name)
    } else {
      unsafe found.pointee.hasOther = true
    }
    return 0
  }
}
