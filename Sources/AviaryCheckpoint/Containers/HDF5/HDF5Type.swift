import AviaryTensor
import CHDF5

/// Element types as HDF5 describes them.
enum HDF5Type {
  /// The element type of a number type in a file, in either byte order.
  static func elementType(
    of type: borrowing HDF5Handle, name: String, path: String
  ) throws(CheckpointError) -> ElementType {
    let size = H5Tget_size(type.id)
    switch H5Tget_class(type.id) {
    case H5T_FLOAT:
      switch size {
      case 8: return .float64
      case 4: return .float32
      case 2:
        // Both are two bytes; binary16 has 5 bits of exponent, bfloat16 has 8.
        var sign = 0
        var exponentPosition = 0
        var exponentBits = 0
        var fractionPosition = 0
        var fractionBits = 0
        _ = try HDF5.check(name, in: path) {
          unsafe H5Tget_fields(
            type.id, &sign, &exponentPosition, &exponentBits, &fractionPosition, &fractionBits)
        }
        if exponentBits == 5, fractionBits == 10 { return .float16 }
      default: break
      }
    case H5T_INTEGER:
      let isSigned = H5Tget_sign(type.id) == H5T_SGN_2
      switch size {
      case 1: return isSigned ? .int8 : .uint8
      case 2: return isSigned ? .int16 : .uint16
      case 4: return isSigned ? .int32 : .uint32
      case 8: return isSigned ? .int64 : .uint64
      default: break
      }
    default: break
    }
    throw .unsupported(path: path, what: "\(name): elements of another type than numbers")
  }

  /// The little-endian HDF5 type of an element type; bfloat16 and bool are their bits.
  static func handle(
    of type: ElementType, name: String, path: String
  ) throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle(name, in: path) {
      switch type {
      case .float32: H5Tcopy(chdf5_float32())
      case .float64: H5Tcopy(chdf5_float64())
      case .float16: chdf5_float16()
      case .bfloat16, .uint16: H5Tcopy(chdf5_uint16())
      case .int8: H5Tcopy(chdf5_int8())
      case .int16: H5Tcopy(chdf5_int16())
      case .int32: H5Tcopy(chdf5_int32())
      case .int64: H5Tcopy(chdf5_int64())
      case .uint8, .bool: H5Tcopy(chdf5_uint8())
      case .uint32: H5Tcopy(chdf5_uint32())
      case .uint64: H5Tcopy(chdf5_uint64())
      }
    }
  }
}
