import CHDF5

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
