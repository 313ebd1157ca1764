import CDNNL

/// A primitive of oneDNN's, compiled, with its memory objects.
@safe final class BoundPrimitive {
  private let primitive: Primitive
  private let operands: [BoundOperand]
  private let scales: BoundScales?
  private let arguments: [dnnl_exec_arg_t]

  init(
    _ descriptor: borrowing PrimitiveDescriptor, _ places: [(Argument, Address)],
    _ engine: EngineHandle
  ) throws(ComputeError) {
    primitive = try Primitive(descriptor)
    var operands: [BoundOperand] = []
    var arguments = unsafe [dnnl_exec_arg_t]()
    for (argument, place) in places {
      let bound = try BoundOperand(descriptor.descriptor(argument), at: place, engine)
      unsafe arguments.append(
        dnnl_exec_arg_t(arg: argument.rawValue, memory: bound.memory.raw))
      operands.append(bound)
    }
    scales = try descriptor.scales.map { scales throws(ComputeError) in
      try BoundScales(scales, engine)
    }
    if let scales { unsafe arguments.append(scales.argument) }
    self.operands = operands
    unsafe self.arguments = arguments
  }

  /// Submits the operation. What it works on stays in place until the stream is waited for.
  ///
  /// - Parameters:
  ///   - inputs: where the caller's inputs lie.
  ///   - outputs: where the caller wants the outputs.
  func run(
    _ inputs: [UnsafeMutableRawPointer], _ outputs: [UnsafeMutableRawPointer],
    _ stream: borrowing StreamHandle
  ) throws(ComputeError) {
    for operand in operands where operand.place.isOutside {
      unsafe try operand.memory.move(to: operand.place.pointer(inputs, outputs))
    }
    unsafe try primitive.execute(arguments, stream)
  }
}

/// A memory object, and where it is to lie.
private final class BoundOperand {
  let memory: Memory
  let place: Address

  init(
    _ descriptor: MemoryDescriptor, at place: Address, _ engine: EngineHandle
  ) throws(ComputeError) {
    unsafe memory = try Memory(descriptor, at: place.fixed, engine)
    self.place = place
  }
}

/// Scales that are an argument of every run, with the memory that they lie in.
private final class BoundScales {
  private let dataType: AlignedMemory
  private let memory: Memory
  /// The argument's number in oneDNN.
  private let number: Int32

  init(_ scales: Scales, _ engine: EngineHandle) throws(ComputeError) {
    let descriptor = try MemoryDescriptor([scales.values.count], .nchw)
    dataType = try AlignedMemory(byteCount: descriptor.byteCount)
    unsafe dataType.start.copyMemory(from: scales.values, byteCount: descriptor.byteCount)
    unsafe memory = try Memory(descriptor, at: dataType.start, engine)
    number = cdnnl_scales_argument(scales.operand.rawValue)
  }

  var argument: dnnl_exec_arg_t { unsafe dnnl_exec_arg_t(arg: number, memory: memory.raw) }
}

/// Owns a primitive: an operation compiled for its sizes. Making one generates machine code
/// (0.1 to 3 ms), unless oneDNN still has the same one.
@safe struct Primitive: ~Copyable {
  let raw: dnnl_primitive_t

  init(_ descriptor: borrowing PrimitiveDescriptor) throws(ComputeError) {
    unsafe raw = try descriptor.withLastingHandle { decision throws(ComputeError) in
      var handle: dnnl_primitive_t?
      try check("dnnl_primitive_create", unsafe dnnl_primitive_create(&handle, decision.raw))
      return unsafe try check("dnnl_primitive_create", given: handle)
    }
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
