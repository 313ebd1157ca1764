import CDNNL

/// Owns oneDNN's engine for this processor.
///
/// - Note: `@unchecked Sendable`: oneDNN documents engines as safe to share between threads, and
///   nothing here changes after `init`.
@safe final class EngineHandle: @unchecked Sendable {
  let raw: dnnl_engine_t

  init() throws(ComputeError) {
    var handle: dnnl_engine_t?
    try check("dnnl_engine_create", unsafe dnnl_engine_create(&handle, dnnl_cpu, 0))
    unsafe raw = try check("dnnl_engine_create", given: handle)
  }

  deinit { unsafe dnnl_engine_destroy(raw) }

  /// How many channels the blocked memory format keeps together: as many as a vector register holds.
  /// Nil where the processor has no AVX-512, for which alone oneDNN has algorithms that want it.
  static var blockSize: Int? {
    dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx512_core.rawValue
      == dnnl_cpu_isa_avx512_core.rawValue ? 16 : nil
  }
}
