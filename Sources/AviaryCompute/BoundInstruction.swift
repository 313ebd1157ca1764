import AviaryThreads

/// A step with everything in its place: compiled, and told where its operands lie.
///
/// - Note: used by the one plan that made it, on one thread at a time.
@safe final class BoundInstruction {
  private let action: Action

  private enum Action {
    case primitive(BoundPrimitive)
    case kernel(Kernel, [Address])
  }

  init(_ step: Instruction, _ places: AddressTable, _ engine: EngineHandle) throws(ComputeError) {
    switch step.action {
    case .kernel(let make, let operands):
      action = .kernel(try make(), operands.map { places[$0] })
    case .primitive(let step):
      action = .primitive(
        try BoundPrimitive(
          step.descriptor, step.arguments.map { ($0, places[$1]) }, engine))
    }
  }

  /// Runs the step.
  ///
  /// - Parameters:
  ///   - inputs: where the caller's inputs lie.
  ///   - outputs: where the caller wants the outputs.
  func run(
    _ inputs: [UnsafeMutableRawPointer], _ outputs: [UnsafeMutableRawPointer],
    _ stream: borrowing StreamHandle, _ workers: ThreadPool
  ) throws(ComputeError) {
    switch action {
    case .kernel(let body, let places):
      let memory = unsafe places.map {
        unsafe $0.pointer(inputs, outputs).assumingMemoryBound(to: Float.self)
      }
      try body(unsafe KernelMemory(memory), workers)
    case .primitive(let primitive):
      unsafe try primitive.run(inputs, outputs, stream)
    }
  }
}
