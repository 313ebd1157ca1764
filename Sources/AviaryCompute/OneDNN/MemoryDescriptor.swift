import CDNNL

/// The shape, data type and memory format of memory that oneDNN works on. Never changes.
struct MemoryDescriptor {
  private let handle: Handle

  /// Numbers of a shape in a memory format.
  init(
    _ shape: [Int], _ memoryFormat: MemoryFormat, _ dataType: DataType = .float32
  ) throws(ComputeError) {
    switch memoryFormat {
    case .nchw:
      // By strides, for any number of dimensions; a scalar is one element.
      let shape = shape.isEmpty ? [1] : shape
      var strides = [Int](repeating: 1, count: shape.count)
      for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
      try self.init(shape, strides: strides, dataType)
    case .nhwc: try self.init(shape, tag: dnnl_acdb, dataType)
    case .nChw16c: try self.init(shape, tag: dnnl_aBcd16b, dataType)
    }
  }

  /// Numbers of a shape whose neighbours along each dimension lie so many elements apart.
  init(
    _ shape: [Int], strides: [Int], _ dataType: DataType = .float32
  ) throws(ComputeError) {
    var made: OpaquePointer?
    try check(
      "dnnl_memory_desc_create_with_strides",
      unsafe cdnnl_memory_desc_create_with_strides(
        &made, Int32(shape.count), shape.map(Int64.init), dataType.type, strides.map(Int64.init)))
    handle = unsafe Handle(made)
  }

  /// Row-major numbers of a shape whose dimensions are read in another order.
  init(_ shape: [Int], read order: [Int]) throws(ComputeError) {
    try self.init(order.map { shape[$0] }, strides: shape.strides(read: order))
  }

  private init(_ shape: [Int], tag: dnnl_format_tag_t, _ dataType: DataType) throws(ComputeError) {
    var made: OpaquePointer?
    try check(
      "dnnl_memory_desc_create_with_tag",
      unsafe cdnnl_memory_desc_create_with_tag(
        &made, Int32(shape.count), shape.map(Int64.init), dataType.type, tag))
    handle = unsafe Handle(made)
  }

  /// What a primitive wants as an argument: a descriptor of no bytes where it takes none.
  init(
    _ argument: Argument, of primitive: borrowing PrimitiveDescriptor
  ) throws(ComputeError) {
    guard let wanted = unsafe cdnnl_argument_desc(primitive.handle.raw, argument.rawValue) else {
      handle = unsafe Handle(nil)
      return
    }
    var made: OpaquePointer?
    try check("dnnl_memory_desc_clone", unsafe cdnnl_memory_desc_clone(&made, wanted))
    handle = unsafe Handle(made)
  }

  /// Numbers of a shape in whatever memory format a primitive likes best.
  static func any(
    _ shape: [Int], _ dataType: DataType = .float32
  ) throws(ComputeError) -> MemoryDescriptor {
    try MemoryDescriptor(shape, tag: dnnl_format_tag_any, dataType)
  }

  /// The bytes that such memory takes, padding of the memory format included.
  var byteCount: Int { handle.byteCount }

  /// Calls `body` with descriptors of oneDNN's for operands, nil for those that there are not. They
  /// are there as long as that runs.
  static func withRaw<R>(
    _ descriptors: [MemoryDescriptor?], _ body: ([OpaquePointer?]) -> R
  ) -> R {
    withExtendedLifetime(descriptors) {
      unsafe body(descriptors.map { unsafe $0?.handle.raw })
    }
  }

  /// Owns a descriptor of oneDNN's.
  ///
  /// - Note: `@unchecked Sendable`: nobody writes to the descriptor.
  @safe private final class Handle: @unchecked Sendable {
    let raw: OpaquePointer?
    let byteCount: Int

    init(_ raw: OpaquePointer?) {
      unsafe self.raw = raw
      byteCount = unsafe cdnnl_memory_desc_get_size(raw)
    }

    deinit {
      if let raw = unsafe raw { unsafe cdnnl_memory_desc_destroy(raw) }
    }
  }
}

extension MemoryDescriptor: Equatable {
  /// Whether memory means the same to oneDNN.
  static func == (a: MemoryDescriptor, b: MemoryDescriptor) -> Bool {
    if a.handle === b.handle { return true }
    return unsafe MemoryDescriptor.withRaw([a, b]) {
      unsafe cdnnl_memory_desc_equal($0[0], $0[1]) != 0
    }
  }
}

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
