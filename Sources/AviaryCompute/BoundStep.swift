import CDNNL

/// A step with everything in its place: compiled, and told where its operands lie.
///
/// - Note: used by the one plan that made it, on one thread at a time.
@safe final class BoundStep {
  private let action: Action

  private enum Action {
    case primitive(BoundPrimitive)
    case kernel(Kernel, [Place])
  }

  init(_ step: Step, _ places: Places, _ engine: EngineHandle) throws(ComputeError) {
    switch step.action {
    case .kernel(let make, let operands):
      action = .kernel(make(), operands.map { places[$0] })
    case .primitive(let step):
      action = .primitive(try BoundPrimitive(step, places, engine))
    }
  }

  /// Runs the step.
  ///
  /// - Parameters:
  ///   - inputs: where the caller's inputs lie.
  ///   - outputs: where the caller wants the outputs.
  func run(
    _ inputs: [UnsafeMutableRawPointer], _ outputs: [UnsafeMutableRawPointer],
    _ stream: borrowing StreamHandle, _ workers: Workers
  ) throws(ComputeError) {
    switch action {
    case .kernel(let body, let places):
      let memory = unsafe places.map {
        unsafe $0.pointer(inputs, outputs).assumingMemoryBound(to: Float.self)
      }
      body(unsafe KernelMemory(memory), workers)
    case .primitive(let primitive):
      unsafe try primitive.run(inputs, outputs, stream)
    }
  }
}

/// A primitive of oneDNN's, compiled, with its memory objects.
@safe private final class BoundPrimitive {
  private let primitive: Primitive
  private let operands: [BoundOperand]
  private let arguments: [dnnl_exec_arg_t]

  init(_ step: PrimitiveStep, _ places: Places, _ engine: EngineHandle) throws(ComputeError) {
    primitive = try Primitive(step.descriptor)
    var operands: [BoundOperand] = []
    var arguments = unsafe [dnnl_exec_arg_t]()
    for (argument, operand) in step.arguments {
      let bound = try BoundOperand(
        step.descriptor.descriptor(argument), at: places[operand], engine)
      unsafe arguments.append(
        dnnl_exec_arg_t(arg: argument.rawValue, memory: bound.memory.raw))
      operands.append(bound)
    }
    self.operands = operands
    unsafe self.arguments = arguments
  }

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
