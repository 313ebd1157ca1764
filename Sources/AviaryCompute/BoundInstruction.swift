import AviaryThreads

/// An instruction with everything in its place: compiled, and told where its operands lie.
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

  /// Runs the instruction.
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

/// Where an operand lies.
@safe enum Address {
  /// In the arena or among the weights: always there.
  case inside(UnsafeMutableRawPointer)
  /// In the caller's memory, so many bytes behind the beginning of the input of this number.
  case input(Int, offset: Int)
  /// In the caller's memory, so many bytes behind the beginning of the output of this number.
  case output(Int, offset: Int)

  /// Whether the place is another in every run.
  var isOutside: Bool {
    if case .inside = self { false } else { true }
  }

  /// The place, if it is always the same.
  var fixed: UnsafeMutableRawPointer? {
    if case .inside(let pointer) = self { unsafe pointer } else { nil }
  }

  /// The place in a run.
  func pointer(
    _ inputs: [UnsafeMutableRawPointer], _ outputs: [UnsafeMutableRawPointer]
  ) -> UnsafeMutableRawPointer {
    switch self {
    case .inside(let pointer): unsafe pointer
    case .input(let number, let offset): unsafe inputs[number] + offset
    case .output(let number, let offset): unsafe outputs[number] + offset
    }
  }
}

/// Where all operands of a plan lie.
struct AddressTable {
  private let lowered: LoweredGraph
  private let arena: AlignedMemory
  private let constants: [AlignedMemory]

  init(_ lowered: LoweredGraph, _ arena: AlignedMemory, _ constants: [AlignedMemory]) {
    (self.lowered, self.arena, self.constants) = (lowered, arena, constants)
  }

  subscript(_ operand: Operand) -> Address {
    switch operand {
    case .constant(let number): return unsafe .inside(constants[number].start)
    case .output(let number): return .output(number, offset: 0)
    case .temporary(let number):
      return unsafe .inside(arena.start + lowered.temporaryOffsets[number])
    case .value(let number):
      let buffers = lowered.lowering.buffers
      guard let place = buffers.places[number] else {
        preconditionFailure("value \(number) of an instruction has an address")
      }
      switch buffers.allocations[place.allocation].owner {
      case .input(let position): return .input(position, offset: place.offset)
      case .output(let position): return .output(position, offset: place.offset)
      case .arena:
        guard let offset = lowered.allocationOffsets[place.allocation] else {
          preconditionFailure("allocation \(place.allocation) has its offset in the arena")
        }
        return unsafe .inside(arena.start + offset + place.offset)
      }
    }
  }
}
