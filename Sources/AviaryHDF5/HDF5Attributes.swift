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

/// What the elements of a data set are.
package enum HDF5Kind: UInt8, CaseIterable, Sendable {
  /// Neither numbers nor text: compounds, enumerations, references and the like.
  case other
  case text
  case float16, float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64

  /// The bytes of one number; 0 for what is none.
  package var byteCount: Int {
    switch self {
    case .other, .text: 0
    case .int8, .uint8: 1
    case .float16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// The kind of a type in a file, in either byte order.
  init(of type: borrowing HDF5Handle, part: String) throws(HDF5Error) {
    let size = H5Tget_size(type.id)
    switch H5Tget_class(type.id) {
    case H5T_STRING: self = .text
    case H5T_FLOAT:
      switch size {
      case 8: self = .float64
      case 4: self = .float32
      default: self = try Self.isHalf(type, part) ? .float16 : .other
      }
    case H5T_INTEGER:
      let isSigned = H5Tget_sign(type.id) == H5T_SGN_2
      switch size {
      case 1: self = isSigned ? .int8 : .uint8
      case 2: self = isSigned ? .int16 : .uint16
      case 4: self = isSigned ? .int32 : .uint32
      case 8: self = isSigned ? .int64 : .uint64
      default: self = .other
      }
    // Bytes of no meaning to HDF5: h5py keeps bfloat16 so, which Keras marks by an attribute.
    case H5T_OPAQUE: self = size == 2 ? .uint16 : .other
    default: self = .other
    }
  }

  /// binary16 has 5 bits of exponent; bfloat16, of two bytes too, has 8.
  private static func isHalf(_ type: borrowing HDF5Handle, _ part: String) throws(HDF5Error) -> Bool
  {
    guard H5Tget_size(type.id) == 2 else { return false }
    var sign = 0
    var exponentPosition = 0
    var exponentBits = 0
    var fractionPosition = 0
    var fractionBits = 0
    _ = try HDF5.check(part) {
      unsafe H5Tget_fields(
        type.id, &sign, &exponentPosition, &exponentBits, &fractionPosition, &fractionBits)
    }
    return exponentBits == 5 && fractionBits == 10
  }

  /// The library's own little-endian type of these numbers.
  package func handle(_ part: String) throws(HDF5Error) -> HDF5Handle {
    try HDF5Handle(part) {
      switch self {
      case .float32: H5Tcopy(chdf5_float32())
      case .float64: H5Tcopy(chdf5_float64())
      case .float16: chdf5_float16()
      case .int8: H5Tcopy(chdf5_int8())
      case .int16: H5Tcopy(chdf5_int16())
      case .int32: H5Tcopy(chdf5_int32())
      case .int64: H5Tcopy(chdf5_int64())
      case .uint8: H5Tcopy(chdf5_uint8())
      case .uint16: H5Tcopy(chdf5_uint16())
      case .uint32: H5Tcopy(chdf5_uint32())
      case .uint64: H5Tcopy(chdf5_uint64())
      // No type of numbers: the library's mark for none, which is negative.
      case .other, .text: -1
      }
    }
  }
}
