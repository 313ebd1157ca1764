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

  /// How many channels nChw16c keeps together: as many as a vector register holds. Nil where the
  /// processor has no AVX-512, for which alone oneDNN has algorithms that want it.
  static var blockSize: Int? {
    dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx512_core.rawValue
      == dnnl_cpu_isa_avx512_core.rawValue ? 16 : nil
  }
}

/// Owns a oneDNN stream: the queue in which one plan's primitives run.
@safe struct StreamHandle: ~Copyable {
  let raw: dnnl_stream_t

  init(_ engine: EngineHandle) throws(ComputeError) {
    var handle: dnnl_stream_t?
    try check(
      "dnnl_stream_create",
      unsafe dnnl_stream_create(&handle, engine.raw, dnnl_stream_default_flags.rawValue))
    unsafe raw = try check("dnnl_stream_create", given: handle)
  }

  deinit { unsafe dnnl_stream_destroy(raw) }

  /// Returns when everything that was submitted is done.
  func wait() throws(ComputeError) {
    try check("dnnl_stream_wait", unsafe dnnl_stream_wait(raw))
  }
}

/// Throws unless a call of oneDNN succeeded.
///
/// - Throws: `ComputeError.outOfMemory` or `.library`.
func check(_ call: StaticString, _ status: dnnl_status_t) throws(ComputeError) {
  if status == dnnl_success { return }
  throw .library(call: call.description, status: name(status))
}

/// What a call of oneDNN gave, which is there if the call succeeded.
///
/// - Throws: `ComputeError.library` for a null pointer in spite of success.
func check<T>(_ call: StaticString, given value: T?) throws(ComputeError) -> T {
  guard let value = value else {
    throw .library(call: call.description, status: "a null pointer")
  }
  return value
}

private func name(_ status: dnnl_status_t) -> String {
  switch status {
  case dnnl_out_of_memory: "out of memory"
  case dnnl_invalid_arguments: "invalid arguments"
  case dnnl_unimplemented: "unimplemented"
  case cdnnl_last_implementation: "no implementation left"
  case dnnl_runtime_error: "a runtime error"
  case dnnl_not_required: "not required"
  default: "status \(status.rawValue)"
  }
}
