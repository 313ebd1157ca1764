import CDNNL

/// A primitive of oneDNN's, compiled, with its memory objects.
@safe final class BoundPrimitive {
  private let primitive: Primitive
  private let operands: [BoundOperand]
  private let arguments: [dnnl_exec_arg_t]

  init(
    _ descriptor: borrowing PrimitiveDescriptor, _ places: [(Argument, Place)],
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
  let place: Place

  init(
    _ descriptor: MemoryDescriptor, at place: Place, _ engine: EngineHandle
  ) throws(ComputeError) {
    unsafe memory = try Memory(descriptor, at: place.fixed, engine)
    self.place = place
  }
}
