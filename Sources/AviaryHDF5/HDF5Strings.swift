import CHDF5

/// Strings as attributes and data sets hold them: of fixed length, padded, or of variable length.
enum HDF5Strings {
  /// Reads `count` strings by `read`, which fills a buffer with elements of the given memory type.
  static func read(
    type: borrowing HDF5Handle, count: Int, part: String,
    _ read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws(HDF5Error) -> [String] {
    if count == 0 { return [] }
    let isVariable = try HDF5.check(part) { H5Tis_variable_str(type.id) } > 0
    return isVariable
      ? try unsafe variable(type: type, count: count, part: part, read)
      : try unsafe fixed(type: type, count: count, part: part, read)
  }

  private static func fixed(
    type: borrowing HDF5Handle, count: Int, part: String,
    _ read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws(HDF5Error) -> [String] {
    let size = H5Tget_size(type.id)
    let padsWithSpaces = H5Tget_strpad(type.id) == H5T_STR_SPACEPAD
    var bytes = [UInt8](repeating: 0, count: count * size)
    _ = try HDF5.check(part) {
      unsafe bytes.withUnsafeMutableBytes { unsafe read(type.id, $0.baseAddress) }
    }
    return (0..<count).map { i in
      var text = bytes[i * size..<(i + 1) * size].prefix { $0 != 0 }
      if padsWithSpaces { while text.last == 0x20 { text.removeLast() } }
      return String(decoding: text, as: UTF8.self)
    }
  }

  private static func variable(
    type: borrowing HDF5Handle, count: Int, part: String,
    _ read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws(HDF5Error) -> [String] {
    var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    defer {
      // The library allocated each string; H5free_memory gives it back whatever malloc it uses.
      unsafe pointers.forEach { unsafe H5free_memory($0) }
    }
    _ = try HDF5.check(part) {
      unsafe pointers.withUnsafeMutableBytes { unsafe read(type.id, $0.baseAddress) }
    }
    return unsafe pointers.map { unsafe $0.map { unsafe String(cString: $0) } ?? "" }
  }
}
