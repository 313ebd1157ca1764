import CDNNL

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
