import AviaryHDF5
import AviaryTensor

extension HDF5Kind {
  /// The numbers as tensors know them; nil for what is none.
  var elementType: ElementType? {
    switch self {
    case .other, .text: nil
    case .float16: .float16
    case .float32: .float32
    case .float64: .float64
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    }
  }

  /// What tensors' elements are in HDF5; bfloat16 and bool are their bits.
  init(_ type: ElementType) {
    self =
      switch type {
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      case .int8: .int8
      case .int16: .int16
      case .int32: .int32
      case .int64: .int64
      case .uint8, .bool: .uint8
      case .uint16, .bfloat16: .uint16
      case .uint32: .uint32
      case .uint64: .uint64
      }
  }
}
