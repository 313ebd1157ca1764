import CDNNL

/// Owns oneDNN's decision how to do an operation: which implementation, which layouts, how much
/// scratch memory. Making one is cheap; no code is generated yet.
@safe struct PrimitiveDescriptor: ~Copyable {
  let raw: dnnl_primitive_desc_t

  /// - Parameter operation: an operation descriptor of oneDNN's, such as `dnnl_convolution_desc_t`.
  /// - Throws: `ComputeError.library` where oneDNN has no implementation.
  init<Operation>(
    _ operation: Operation, _ attributes: borrowing PrimitiveAttributes, _ engine: EngineHandle
  ) throws(ComputeError) {
    var handle: dnnl_primitive_desc_t?
    let status = unsafe withUnsafePointer(to: operation) { pointer in
      unsafe dnnl_primitive_desc_create(
        &handle, UnsafeRawPointer(pointer), attributes.raw, engine.raw, nil)
    }
    try check("dnnl_primitive_desc_create", status)
    unsafe raw = try check("dnnl_primitive_desc_create", given: handle)
  }

  /// The decision how to go back through an operation.
  ///
  /// - Parameter forward: the decision how to go forward.
  init<Operation>(
    _ operation: Operation, after forward: borrowing PrimitiveDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) {
    let attributes = try PrimitiveAttributes.fusing([])
    var handle: dnnl_primitive_desc_t?
    let status = unsafe withUnsafePointer(to: operation) { pointer in
      unsafe dnnl_primitive_desc_create(
        &handle, UnsafeRawPointer(pointer), attributes.raw, engine.raw, forward.raw)
    }
    try check("dnnl_primitive_desc_create", status)
    unsafe raw = try check("dnnl_primitive_desc_create", given: handle)
  }

  /// The decision how to copy from one layout to another.
  ///
  /// - Parameter scale: what every number is multiplied with.
  init(
    reorder source: MemoryDescriptor, to destination: MemoryDescriptor, scale: Float = 1,
    _ engine: EngineHandle
  ) throws(ComputeError) {
    let attributes = try PrimitiveAttributes.fusing([], scales: scale == 1 ? [] : [scale])
    var handle: dnnl_primitive_desc_t?
    var (from, to) = (source.raw, destination.raw)
    try check(
      "dnnl_reorder_primitive_desc_create",
      unsafe dnnl_reorder_primitive_desc_create(
        &handle, &from, engine.raw, &to, engine.raw, attributes.raw))
    unsafe raw = try check("dnnl_reorder_primitive_desc_create", given: handle)
  }

  deinit { unsafe dnnl_primitive_desc_destroy(raw) }

  /// The implementation's name, as `brgconv:avx512_core`.
  var implementation: String {
    var name: UnsafePointer<CChar>?
    let status = unsafe withUnsafeMutablePointer(to: &name) {
      unsafe dnnl_primitive_desc_query(raw, dnnl_query_impl_info_str, 0, $0)
    }
    guard status == dnnl_success, let name = unsafe name else { return "unknown" }
    return unsafe String(cString: name)
  }

  /// Whether this is the reference code, a hundred times slower than the others.
  var isReference: Bool { implementation.hasPrefix("ref") }

  /// What the implementation wants in an argument's place.
  func descriptor(_ argument: Argument) -> MemoryDescriptor {
    let found = unsafe dnnl_primitive_desc_query_md(
      raw, dnnl_query_exec_arg_md, argument.rawValue)
    // Null for an argument that the operation does not have: a descriptor of no bytes.
    guard let found = unsafe found else { return MemoryDescriptor(dnnl_memory_desc_t()) }
    return MemoryDescriptor(unsafe found.pointee)
  }
}

/// The part that memory plays in a primitive.
enum Argument: Int32 {
  case source = 1  // DNNL_ARG_SRC and DNNL_ARG_SRC_0
  case secondSource = 2  // DNNL_ARG_SRC_1
  case destination = 17  // DNNL_ARG_DST
  case weights = 33  // DNNL_ARG_WEIGHTS
  case bias = 41  // DNNL_ARG_BIAS
  case mean = 49  // DNNL_ARG_MEAN
  case variance = 50  // DNNL_ARG_VARIANCE
  case scale = 51  // DNNL_ARG_SCALE
  case shift = 52  // DNNL_ARG_SHIFT
  case workspace = 64  // DNNL_ARG_WORKSPACE
  case scratch = 80  // DNNL_ARG_SCRATCHPAD
  case sourceGradient = 129  // DNNL_ARG_DIFF_SRC
  case destinationGradient = 145  // DNNL_ARG_DIFF_DST
  case weightsGradient = 161  // DNNL_ARG_DIFF_WEIGHTS
  case biasGradient = 169  // DNNL_ARG_DIFF_BIAS
  case scaleGradient = 255  // DNNL_ARG_DIFF_SCALE
  case shiftGradient = 256  // DNNL_ARG_DIFF_SHIFT
}
