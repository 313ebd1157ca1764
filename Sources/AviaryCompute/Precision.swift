import CDNNL

/// The numbers in which a network is calculated. Sums are float32 in any case.
public enum Precision: String, CaseIterable, Codable, Hashable, Sendable {
  /// IEEE single precision: 24 bits of mantissa.
  case float32
  /// The upper half of float32: 8 bits of mantissa. Convolutions multiply such numbers where that is
  /// faster, about twice as fast as direct convolutions in float32; in inference what lies between
  /// them is kept so, too, where both sides want that.
  case bfloat16
}

extension Engine {
  /// Whether the processor multiplies bfloat16 by itself (AVX-512 BF16). Where it does not, oneDNN
  /// would imitate it, more slowly than float32.
  public static var hasBfloat16: Bool {
    let wanted = dnnl_cpu_isa_avx512_core_bf16.rawValue
    return dnnl_get_effective_cpu_isa().rawValue & wanted == wanted
  }

  /// Whether the processor sums products of 8-bit integers in 32 bits (VNNI). Where it does
  /// not, pairs of them are summed in 16 bits first.
  static var sumsProductsWhole: Bool {
    let found = dnnl_get_effective_cpu_isa().rawValue
    return [dnnl_cpu_isa_avx512_core_vnni.rawValue, dnnl_cpu_isa_avx2_vnni.rawValue].contains {
      found & $0 == $0
    }
  }
}
