import AviaryGraph
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

/// A function of single values in oneDNN's terms.
struct Elementwise {
  var algorithm: dnnl_alg_kind_t
  var alpha: Float = 0
  var beta: Float = 0
}

extension Elementwise {
  /// A function that is fused: a cheap one.
  ///
  /// - Parameter scale: that of the integers that it is applied to.
  init(fused activation: Activation, scale: Float = 1) {
    guard let function = activation.oneDNN(scale: scale) else {
      preconditionFailure("\(activation.name) is not among the functions that are fused")
    }
    self = function
  }
}

/// What a result is multiplied with before anything else is done to it: one number, or one for each
/// channel. oneDNN 2 takes them with a primitive's attributes, oneDNN 3 as one more argument of
/// each run.
struct Scales: Equatable {
  var values: [Float]
  /// The operand that oneDNN 3 has them belong to.
  var operand: Argument
  /// A bit for each dimension of that operand along which they differ.
  var mask: Int32

  /// One number for everything that is copied.
  init(reorder scale: Float) { (values, operand, mask) = ([scale], .source, 0) }

  /// A number for each output channel of a convolution.
  ///
  /// - Parameter isGrouped: whether the weights have a dimension for groups before the others.
  init(channels values: [Float], isGrouped: Bool) {
    (self.values, operand, mask) = (values, .weights, isGrouped ? 0b11 : 0b1)
  }

  /// Whether a convolution's bias is added to the sums of products before these are scaled; else
  /// after that.
  static var followBias: Bool { cdnnl_bias_before_scales() != 0 }
}
