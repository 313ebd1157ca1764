import CDNNL

/// Owns a oneDNN memory object: a descriptor with a place. The place itself belongs to someone
/// else, who outlives this.
@safe struct Memory: ~Copyable {
  let raw: dnnl_memory_t

  init(
    _ descriptor: MemoryDescriptor, at place: UnsafeMutableRawPointer?, _ engine: EngineHandle
  ) throws(ComputeError) {
    var handle: dnnl_memory_t?
    let status = unsafe MemoryDescriptor.withRaw([descriptor]) {
      unsafe cdnnl_memory_create(&handle, $0[0], engine.raw, place)
    }
    try check("dnnl_memory_create", status)
    unsafe raw = try check("dnnl_memory_create", given: handle)
  }

  deinit { unsafe dnnl_memory_destroy(raw) }

  /// Moves the memory object to another place.
  func move(to place: UnsafeMutableRawPointer) throws(ComputeError) {
    try check("dnnl_memory_set_data_handle", unsafe dnnl_memory_set_data_handle(raw, place))
  }
}
