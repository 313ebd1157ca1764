import CHDF5

/// The value of an attribute: one or many strings, integers or floats.
enum HDF5Attribute: Equatable, Sendable {
  case strings([String])
  case integers([Int])
  case floats([Double])

  /// The attribute as one string.
  var string: String? {
    if case .strings(let values) = self, values.count == 1 { values[0] } else { nil }
  }

  /// The attribute as one integer.
  var integer: Int? {
    if case .integers(let values) = self, values.count == 1 { values[0] } else { nil }
  }

  /// The most bytes that an attribute may take; Keras' longest are below 64 KiB, and split.
  private static let limit = 16 << 20

  /// Reads an attribute of an object; nil where there is none.
  ///
  /// - Parameters:
  ///   - object: a group or data set.
  ///   - part: the object's name, for messages.
  static func read(
    _ name: String, of object: borrowing HDF5Handle, part: String, path: String
  ) throws(CheckpointError) -> HDF5Attribute? {
    let part = "\(part), attribute \(name)"
    let exists = try HDF5.check(part, in: path) { unsafe H5Aexists(object.id, name) }
    guard exists > 0 else { return nil }
    let attribute = try HDF5Handle(part, in: path) {
      unsafe H5Aopen(object.id, name, chdf5_default())
    }
    let type = try HDF5Handle(part, in: path) { H5Aget_type(attribute.id) }
    let space = try HDF5Handle(part, in: path) { H5Aget_space(attribute.id) }
    // A null data space has no elements at all; the library answers 0.
    let count = Int(
      try HDF5.check(part, in: path) { H5Sget_simple_extent_npoints(space.id) })
    let size = H5Tget_size(type.id)
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: max(size, 8))
    guard !overflow, byteCount <= limit else {
      throw .tooLarge(path: path, part: part, limit: limit, found: overflow ? .max : byteCount)
    }
    switch H5Tget_class(type.id) {
    case H5T_STRING:
      return .strings(
        try unsafe HDF5Strings.read(type: type, count: count, part: part, path: path) {
          type, buffer in
          unsafe H5Aread(attribute.id, type, buffer)
        })
    case H5T_INTEGER:
      var values = [Int](repeating: 0, count: count)
      if count > 0 {
        _ = try HDF5.check(part, in: path) {
          unsafe H5Aread(attribute.id, chdf5_int64(), &values)
        }
      }
      return .integers(values)
    case H5T_FLOAT:
      var values = [Double](repeating: 0, count: count)
      if count > 0 {
        _ = try HDF5.check(part, in: path) {
          unsafe H5Aread(attribute.id, chdf5_float64(), &values)
        }
      }
      return .floats(values)
    default:
      throw .unsupported(path: path, what: "\(part): an attribute of neither text nor numbers")
    }
  }

  /// Reads all attributes of an object; those of neither text nor numbers are left out.
  static func all(
    of object: borrowing HDF5Handle, _ part: String, _ path: String
  ) throws(CheckpointError) -> [String: HDF5Attribute] {
    var names: [String] = []
    _ = try HDF5.check(part, in: path) {
      unsafe withUnsafeMutablePointer(to: &names) { names in
        unsafe chdf5_attributes(
          object.id,
          { _, name, _, context in
            guard let name = unsafe name,
              let names = unsafe context?.assumingMemoryBound(to: [String].self)
            else { return -1 }
            unsafe names.pointee.append(String(cString: name))
            return 0
          }, names)
      }
    }
    var attributes: [String: HDF5Attribute] = [:]
    for name in names {
      do throws(CheckpointError) {
        attributes[name] = try read(name, of: object, part: part, path: path)
      } catch .unsupported { continue }
    }
    return attributes
  }
}
