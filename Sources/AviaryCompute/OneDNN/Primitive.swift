import CDNNL

/// Owns a primitive: an operation compiled for its sizes. Making one generates machine code
/// (0.1 to 3 ms), unless oneDNN still has the same one.
@safe struct Primitive: ~Copyable {
  let raw: dnnl_primitive_t

  init(_ descriptor: borrowing PrimitiveDescriptor) throws(ComputeError) {
    var handle: dnnl_primitive_t?
    try check("dnnl_primitive_create", unsafe dnnl_primitive_create(&handle, descriptor.raw))
    unsafe raw = try check("dnnl_primitive_create", given: handle)
  }

  deinit { unsafe dnnl_primitive_destroy(raw) }

  /// Submits the operation.
  ///
  /// - Parameter arguments: memory objects that stay alive until the stream is waited for.
  func execute(
    _ arguments: [dnnl_exec_arg_t], _ stream: borrowing StreamHandle
  ) throws(ComputeError) {
    try check(
      "dnnl_primitive_execute",
      unsafe dnnl_primitive_execute(raw, stream.raw, Int32(arguments.count), arguments))
  }
}
