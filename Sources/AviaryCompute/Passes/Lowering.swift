import AviaryGraph

/// Turns fused ops into instructions: calls of oneDNN's primitives and of the engine's own kernels.
///
/// Each operation's lowering is in its file in `Operations`. A lowering decides how
/// things are done and says which memory it needs; nothing is compiled, allocated or calculated
/// until a `Plan` is made of it.
struct Lowering {
  let ir: IRGraph
  let buffers: BufferAssignment
  let engine: Engine
  private(set) var instructions: [Instruction] = []
  /// Memory that a fused op needs while it runs.
  private(set) var temporaries: [Arena.Request] = []
  /// Memory that is prepared once: weights.
  private(set) var constants: [PackedConstant] = []
  private var position = 0
  /// The instruction with which the backward pass begins; nil where there is none.
  private(set) var backwardStart: Int?

  init(_ ir: IRGraph, _ buffers: BufferAssignment, _ engine: Engine) throws(ComputeError) {
    (self.ir, self.buffers, self.engine) = (ir, buffers, engine)
    for (position, fusedOp) in ir.fusedOps.enumerated() {
      self.position = position
      if fusedOp.isBackward, backwardStart == nil { backwardStart = instructions.count }
      if try ir.view(fusedOp) == nil { try lower(fusedOp) }
    }
    for output in buffers.copiedOutputs { copyOutput(output) }
  }

  private mutating func lower(_ fusedOp: FusedOp) throws(ComputeError) {
    switch fusedOp.kind {
    case .convolution(let c, let flipped): try convolution(fusedOp, c, flipped: flipped)
    case .transposedConvolution(let c): try transposedConvolution(fusedOp, c)
    case .scaleShift, .pointwise: try pointwise(fusedOp)
    case .tokens(let step): try tokens(fusedOp, step)
    case .reorder: try reorder(fusedOp)
    case .gradient(.convolutionInput(let c)): try convolutionInputGradient(fusedOp, c)
    case .gradient(.convolutionWeights(let c)): try convolutionWeightsGradient(fusedOp, c)
    case .gradient(.other(let any)): try any.kernel.lower(fusedOp, &self)
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) is represented differently in an IR graph")
      }
      try operation.lower(fusedOp, &self)
    }
  }
}

// MARK: - What lowerings use

extension Lowering {
  /// A value's shape and memory format.
  func value(_ number: Int) -> IRGraph.Value { ir.values[number] }

  /// Whether a convolution's result is written over the value that is added to it.
  func addsInPlace(_ fusedOp: FusedOp) -> Bool {
    guard let residual = fusedOp.epilogue.residual else { return false }
    return buffers.places[residual] == buffers.places[fusedOp.output]
  }

  /// Memory for as long as the present fused op runs.
  mutating func temporary(byteCount: Int) -> Operand {
    temporaries.append(
      Arena.Request(byteCount: byteCount, lifetime: position...position))
    return .temporary(temporaries.count - 1)
  }

  /// Memory that `make` fills when the first plan is made, and that plans of the same weights
  /// share.
  mutating func constant(_ constant: PackedConstant) -> Operand {
    constants.append(constant)
    return .constant(constants.count - 1)
  }

  /// Adds a call of oneDNN. What it wants for scratch memory is provided.
  mutating func primitive(
    _ fusedOp: FusedOp, _ operation: String, _ descriptor: consuming PrimitiveDescriptor,
    _ arguments: [(Argument, Operand)]
  ) {
    let scratch = descriptor.byteCount(.scratch)
    var arguments = arguments
    if scratch > 0 { arguments.append((.scratch, temporary(byteCount: scratch))) }
    let description = PlanStep(
      name: fusedOp.name, others: fusedOp.others, operation: operation,
      implementation: descriptor.implementation,
      shape: value(fusedOp.output).shape)
    instructions.append(Instruction(description, .primitive(PrimitiveCall(descriptor, arguments))))
  }

  /// Adds a call of a kernel of the engine's own.
  mutating func kernel(
    _ fusedOp: FusedOp, _ operation: String, _ operands: [Operand], _ body: @escaping Kernel
  ) {
    kernel(fusedOp, operation, operands, preparing: { body })
  }

  /// Adds a call of a kernel of the engine's own that needs tables.
  ///
  /// - Parameter make: gives what is run; called when the plan is made.
  mutating func kernel(
    _ fusedOp: FusedOp, _ operation: String, _ operands: [Operand],
    preparing make: @escaping () throws(ComputeError) -> Kernel
  ) {
    let description = PlanStep(
      name: fusedOp.name, others: fusedOp.others, operation: operation, implementation: "aviary",
      shape: value(fusedOp.output).shape)
    instructions.append(Instruction(description, .kernel(make, operands)))
  }

  /// A parameter as it stands, row-major.
  mutating func parameter(_ name: String, _ shape: [Int]) throws(ComputeError) -> Operand {
    constant(
      PackedConstant(
        key: PackedConstant.Key(parameters: [name], packing: .matrix),
        descriptor: try MemoryDescriptor(shape, .nchw), shape: shape, parameter: name
      ) { weights throws(ComputeError) in try weights.values(name) })
  }

  private mutating func copyOutput(_ output: Int) {
    let value = ir.outputs[output].value
    let count = self.value(value).count
    let description = PlanStep(
      name: ir.outputs[output].name, others: [], operation: "copy", implementation: "aviary",
      shape: self.value(value).shape)
    let copy: Kernel = { memory, _ in
      unsafe memory[1].update(from: memory[0], count: count)
    }
    instructions.append(
      Instruction(description, .kernel({ copy }, [.value(value), .output(output)])))
  }
}
