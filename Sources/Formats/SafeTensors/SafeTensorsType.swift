import AviaryTensor

/// The element types of safetensors that Aviary has, from the highest to the lowest in the order in
/// which the reference writer lays tensors out, so that all are aligned (safetensors/src/tensor.rs).
enum SafeTensorsType: String, CaseIterable {
  case u64 = "U64"
  case i64 = "I64"
  case f64 = "F64"
  case f32 = "F32"
  case u32 = "U32"
  case i32 = "I32"
  case bf16 = "BF16"
  case f16 = "F16"
  case u16 = "U16"
  case i16 = "I16"
  case i8 = "I8"
  case u8 = "U8"
  case bool = "BOOL"

  /// The same type by our name.
  var elementType: ElementType {
    switch self {
    case .u64: .uint64
    case .i64: .int64
    case .f64: .float64
    case .f32: .float32
    case .u32: .uint32
    case .i32: .int32
    case .bf16: .bfloat16
    case .f16: .float16
    case .u16: .uint16
    case .i16: .int16
    case .i8: .int8
    case .u8: .uint8
    case .bool: .bool
    }
  }

  /// The place in the writer's order, by our name.
  static let rank: [ElementType: Int] = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1.elementType, $0) })

  /// The format's name of a type.
  static func name(_ type: ElementType) -> String {
    allCases.first { $0.elementType == type }?.rawValue ?? "F32"
  }
}
