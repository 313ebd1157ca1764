import CDNNL

/// The shape, element type and layout of memory that oneDNN works on: plain data.
struct MemoryDescriptor {
  var raw: dnnl_memory_desc_t

  init(_ raw: dnnl_memory_desc_t) { self.raw = raw }

  /// Numbers of a shape in a layout.
  init(
    _ shape: [Int], _ layout: Layout, _ numbers: Numbers = .float32
  ) throws(ComputeError) {
    switch layout {
    case .planar:
      // By strides, for any number of dimensions; a scalar is one element.
      let shape = shape.isEmpty ? [1] : shape
      var strides = [Int](repeating: 1, count: shape.count)
      for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
      try self.init(shape, strides: strides, numbers)
    case .channelsLast: self.init(try MemoryDescriptor.tagged(shape, dnnl_acdb, numbers))
    case .blocked: self.init(try MemoryDescriptor.tagged(shape, dnnl_aBcd16b, numbers))
    }
  }

  /// Numbers of a shape whose neighbours along each dimension lie so many elements apart.
  init(
    _ shape: [Int], strides: [Int], _ numbers: Numbers = .float32
  ) throws(ComputeError) {
    raw = dnnl_memory_desc_t()
    try check(
      "dnnl_memory_desc_init_by_strides",
      unsafe dnnl_memory_desc_init_by_strides(
        &raw, Int32(shape.count), shape.map(dnnl_dim_t.init), numbers.type,
        strides.map(dnnl_dim_t.init)))
  }

  /// Numbers of a shape in whatever layout a primitive likes best.
  static func any(
    _ shape: [Int], _ numbers: Numbers = .float32
  ) throws(ComputeError) -> MemoryDescriptor {
    MemoryDescriptor(try tagged(shape, dnnl_format_tag_any, numbers))
  }

  private static func tagged(
    _ shape: [Int], _ tag: dnnl_format_tag_t, _ numbers: Numbers
  ) throws(ComputeError) -> dnnl_memory_desc_t {
    var raw = dnnl_memory_desc_t()
    try check(
      "dnnl_memory_desc_init_by_tag",
      unsafe dnnl_memory_desc_init_by_tag(
        &raw, Int32(shape.count), shape.map(dnnl_dim_t.init), numbers.type, tag))
    return raw
  }

  /// The bytes that such memory takes, padding of the layout included.
  var byteCount: Int {
    var raw = raw
    return unsafe dnnl_memory_desc_get_size(&raw)
  }
}

extension MemoryDescriptor: Equatable {
  /// Whether memory means the same to oneDNN.
  static func == (a: MemoryDescriptor, b: MemoryDescriptor) -> Bool {
    var (first, second) = (a.raw, b.raw)
    return unsafe dnnl_memory_desc_equal(&first, &second) != 0
  }
}
