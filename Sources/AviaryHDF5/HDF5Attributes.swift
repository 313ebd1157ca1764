import CHDF5

/// The attributes of a group or data set.
enum HDF5Attributes {
  /// One or many strings, integers or floats.
  enum Value {
    case strings([String])
    case integers([Int64])
    case floats([Double])

    /// The bytes that the value takes.
    var byteCount: Int {
      switch self {
      case .strings(let values): values.reduce(0) { $0 + $1.utf8.count + 8 }
      case .integers(let values): values.count * 8
      case .floats(let values): values.count * 8
      }
    }
  }

  /// The names of an object's attributes, sorted by their bytes.
  static func names(
    of object: borrowing HDF5Handle, _ part: String
  ) throws(HDF5Error) -> [String] {
    try unsafe HDF5Names.collect(in: part) { names in
      unsafe chdf5_attributes(
        object.id, { _, name, _, names in unsafe HDF5Names.add(name, to: names) }, names)
    }
  }

  /// Reads an attribute; nil for one of neither text nor numbers.
  ///
  /// - Parameter part: the object's name, for messages.
  static func read(
    _ name: String, of object: borrowing HDF5Handle, part: String
  ) throws(HDF5Error) -> Value? {
    let part = "\(part), attribute \(name)"
    let attribute = try HDF5Handle(part) {
      unsafe H5Aopen(object.id, name, chdf5_default())
    }
    let type = try HDF5Handle(part) { H5Aget_type(attribute.id) }
    let space = try HDF5Handle(part) { H5Aget_space(attribute.id) }
    // A null data space has no elements at all; the library answers 0.
    let count = Int(try HDF5.check(part) { H5Sget_simple_extent_npoints(space.id) })
    let size = H5Tget_size(type.id)
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: max(size, 8))
    guard !overflow, byteCount <= HDF5Limits.text else {
      throw .tooLarge(
        part: "\(part), bytes", limit: HDF5Limits.text, found: overflow ? .max : byteCount)
    }
    switch H5Tget_class(type.id) {
    case H5T_STRING:
      return .strings(
        try unsafe HDF5Strings.read(type: type, count: count, part: part) { type, buffer in
          unsafe H5Aread(attribute.id, type, buffer)
        })
    case H5T_INTEGER:
      var values = [Int64](repeating: 0, count: count)
      if count > 0 {
        _ = try HDF5.check(part) { unsafe H5Aread(attribute.id, chdf5_int64(), &values) }
      }
      return .integers(values)
    case H5T_FLOAT:
      var values = [Double](repeating: 0, count: count)
      if count > 0 {
        _ = try HDF5.check(part) { unsafe H5Aread(attribute.id, chdf5_float64(), &values) }
      }
      return .floats(values)
    default: return nil
    }
  }
}
