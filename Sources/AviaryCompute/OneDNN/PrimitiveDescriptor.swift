import CDNNL

/// Owns oneDNN's decision how to do an operation: which implementation, which memory formats, how
/// much scratch memory. Making one is cheap; no code is generated yet. There is a function for each
/// operation.
@safe struct PrimitiveDescriptor: ~Copyable {
  let raw: dnnl_primitive_desc_t
  /// What results are multiplied with, where that is told when the primitive runs.
  let scales: Scales?

  /// - Parameters:
  ///   - call: the function of oneDNN's, for errors.
  ///   - operands: what is handed to `make` in oneDNN's terms; nil for one that there is not.
  ///   - operations: what is done to the result before it is written.
  ///   - scales: what the result is multiplied with before that.
  ///   - make: calls the function, with where its result goes, the operands, and attributes.
  /// - Throws: `ComputeError.library` where oneDNN has no implementation.
  init(
    _ call: StaticString, _ operands: [MemoryDescriptor?], _ operations: [PostOperation] = [],
    scales: Scales? = nil,
    _ make: (
      UnsafeMutablePointer<dnnl_primitive_desc_t?>, [OpaquePointer?], dnnl_primitive_attr_t
    ) -> dnnl_status_t
  ) throws(ComputeError) {
    let attributes = try PrimitiveAttributes.fusing(operations, scales: scales)
    var handle: dnnl_primitive_desc_t?
    let status = unsafe MemoryDescriptor.withRaw(operands) {
      unsafe make(&handle, $0, attributes.raw)
    }
    try check(call, status)
    unsafe raw = try check(call, given: handle)
    self.scales = cdnnl_scales_at_run_time() == 0 ? nil : scales
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
  ///
  /// - Throws: `ComputeError.library` where there is no memory for the answer.
  func descriptor(_ argument: Argument) throws(ComputeError) -> MemoryDescriptor {
    try MemoryDescriptor(argument, of: self)
  }

  /// The bytes that an argument takes; 0 for one that the operation does not have.
  func byteCount(_ argument: Argument) -> Int {
    unsafe cdnnl_memory_desc_get_size(cdnnl_argument_desc(raw, argument.rawValue))
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
