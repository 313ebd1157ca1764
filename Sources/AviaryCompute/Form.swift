import CDNNL

/// How a value lies in memory, and of which numbers it is made.
struct Form: Hashable {
  var layout: Layout
  var numbers = Numbers.float32
}

/// The numbers that a value is made of while a plan runs. What goes in and comes out is float32.
enum Numbers: String, CaseIterable, Hashable {
  case float32
  case bfloat16

  /// The bytes that one takes.
  var size: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }

  /// oneDNN's name.
  var type: dnnl_data_type_t {
    switch self {
    case .float32: dnnl_f32
    case .bfloat16: dnnl_bf16
    }
  }
}
