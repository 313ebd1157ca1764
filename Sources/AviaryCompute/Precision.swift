import CDNNL

/// The numbers that convolutions multiply. Sums, and all that lies between convolutions, are
/// float32.
public enum Precision: String, CaseIterable, Codable, Hashable, Sendable {
  /// IEEE single precision: 24 bits of mantissa.
  case float32
  /// The upper half of float32: 8 bits of mantissa. About twice as fast as direct convolutions in
  /// float32, and about as fast as Winograd's.
  case bfloat16
}

extension Engine {
  /// Whether the processor multiplies bfloat16 by itself (AVX-512 BF16). Where it does not, oneDNN
  /// would imitate it, more slowly than float32.
  public static var hasBfloat16: Bool {
    let wanted = dnnl_cpu_isa_avx512_core_bf16.rawValue
    return dnnl_get_effective_cpu_isa().rawValue & wanted == wanted
  }
}

/// How a value lies in memory.
struct Form: Hashable {
  var layout: Layout
  var precision = Precision.float32
}
