import CDNNL

/// How a value lies in memory, and of which numbers it is made.
struct TensorFormat: Hashable {
  var memoryFormat: MemoryFormat
  var dataType = DataType.float32
}

/// The numbers that a value is made of while a plan runs. What goes in and comes out is float32.
enum DataType: Hashable {
  case float32
  case bfloat16
  /// Whole numbers, -128 to 127, of which one is worth `step`.
  case int8(scale: Float)
  /// Whole numbers, 0 to 255, of which one is worth `step`.
  case uint8(scale: Float)

  /// The bytes that one takes.
  var size: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    case .int8, .uint8: 1
    }
  }

  /// What 1 is worth.
  var scale: Float {
    switch self {
    case .float32, .bfloat16: 1
    case .int8(let scale), .uint8(let scale): scale
    }
  }

  /// What they are called, whatever 1 is worth.
  var name: String { DataType.names[number] }
  /// The place of the name among all.
  var number: Int {
    switch self {
    case .float32: 0
    case .bfloat16: 1
    case .int8: 2
    case .uint8: 3
    }
  }

  static let names = ["float32", "bfloat16", "int8", "uint8"]

  /// Whether they are integers.
  var isInteger: Bool { size == 1 }

  /// oneDNN's name.
  var type: dnnl_data_type_t {
    switch self {
    case .float32: dnnl_f32
    case .bfloat16: dnnl_bf16
    case .int8: dnnl_s8
    case .uint8: dnnl_u8
    }
  }
}
