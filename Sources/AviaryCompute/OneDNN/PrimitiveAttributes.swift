import CDNNL

/// Something that a primitive does to its result before it writes it.
enum PostOperation {
  /// A function of single values.
  case elementwise(Elementwise)
  /// Addition of what the destination held before.
  case sum
}

/// Owns the attributes of a primitive: what is fused, and that we provide its scratch memory.
@safe struct PrimitiveAttributes: ~Copyable {
  let raw: dnnl_primitive_attr_t

  init() throws(ComputeError) {
    var handle: dnnl_primitive_attr_t?
    try check("dnnl_primitive_attr_create", unsafe dnnl_primitive_attr_create(&handle))
    unsafe raw = try check("dnnl_primitive_attr_create", given: handle)
  }

  deinit { unsafe dnnl_primitive_attr_destroy(raw) }

  /// Attributes with these operations fused, in this order.
  ///
  /// - Parameter scales: what the result is multiplied with before that.
  static func fusing(
    _ operations: [PostOperation], scales: Scales? = nil
  ) throws(ComputeError) -> PrimitiveAttributes {
    // Scratch memory of ours lies in the plan's arena, counted and reused; oneDNN's own would be
    // taken for every primitive and kept.
    let attributes = try PrimitiveAttributes()
    try check(
      "dnnl_primitive_attr_set_scratchpad_mode",
      unsafe dnnl_primitive_attr_set_scratchpad_mode(attributes.raw, dnnl_scratchpad_mode_user))
    if let scales {
      try check(
        "dnnl_primitive_attr_set_scales",
        unsafe cdnnl_set_scales(
          attributes.raw, scales.operand.rawValue, scales.mask, Int32(scales.values.count),
          scales.values))
    }
    if !operations.isEmpty {
      let list = try PostOperationList()
      for operation in operations { try list.append(operation) }
      try check(
        "dnnl_primitive_attr_set_post_ops",
        unsafe dnnl_primitive_attr_set_post_ops(attributes.raw, list.raw))
    }
    return attributes
  }
}

/// Owns a list of post-operations, which the attributes copy.
@safe private struct PostOperationList: ~Copyable {
  let raw: dnnl_post_ops_t

  init() throws(ComputeError) {
    var handle: dnnl_post_ops_t?
    try check("dnnl_post_ops_create", unsafe dnnl_post_ops_create(&handle))
    unsafe raw = try check("dnnl_post_ops_create", given: handle)
  }

  deinit { unsafe dnnl_post_ops_destroy(raw) }

  func append(_ operation: PostOperation) throws(ComputeError) {
    switch operation {
    case .elementwise(let function):
      try check(
        "dnnl_post_ops_append_eltwise",
        unsafe cdnnl_append_eltwise(raw, function.algorithm, function.alpha, function.beta))
    case .sum:
      try check("dnnl_post_ops_append_sum", unsafe cdnnl_append_sum(raw))
    }
  }
}
