import AviaryGraph

/// Turns units into steps: calls of oneDNN's primitives and of the engine's own kernels.
///
/// Each operation's lowering is in its file in `Operations`. A lowering decides how
/// things are done and says which memory it needs; nothing is compiled, allocated or calculated
/// until a `Plan` is made of it.
struct Lowering {
  let program: Program
  let storage: Storage
  let engine: Engine
  private(set) var steps: [Step] = []
  /// Memory that a unit needs while it runs.
  private(set) var temporaries: [Arena.Request] = []
  /// Memory that is prepared once: weights.
  private(set) var constants: [Constant] = []
  private var position = 0
  /// The step with which the way back begins; nil where there is none.
  private(set) var turn: Int?

  init(_ program: Program, _ storage: Storage, _ engine: Engine) throws(ComputeError) {
    (self.program, self.storage, self.engine) = (program, storage, engine)
    for (position, unit) in program.units.enumerated() {
      self.position = position
      if unit.isBackward, turn == nil { turn = steps.count }
      if try program.view(unit) == nil { try lower(unit) }
    }
    for output in storage.copiedOutputs { copyOutput(output) }
  }

  private mutating func lower(_ unit: Unit) throws(ComputeError) {
    switch unit.work {
    case .convolution(let c, let flipped): try convolution(unit, c, flipped: flipped)
    case .transposedConvolution(let c): try transposedConvolution(unit, c)
    case .affine: try affine(unit)
    case .relayout: try relayout(unit)
    case .gradient(.convolutionInput(let c)): try convolutionInputGradient(unit, c)
    case .gradient(.convolutionWeights(let c)): try convolutionWeightsGradient(unit, c)
    case .gradient(.other(let any)): try any.kernel.lower(unit, &self)
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) has another form in a program")
      }
      try operation.lower(unit, &self)
    }
  }
}

// MARK: - What lowerings use

extension Lowering {
  /// A value's shape and layout.
  func value(_ number: Int) -> Program.Value { program.values[number] }

  /// Whether a convolution's result is written over the value that is added to it.
  func addsInPlace(_ unit: Unit) -> Bool {
    guard let residual = unit.epilogue.residual else { return false }
    return storage.places[residual] == storage.places[unit.output]
  }

  /// Memory for as long as the present unit runs.
  mutating func temporary(byteCount: Int) -> Operand {
    temporaries.append(
      Arena.Request(byteCount: byteCount, lifetime: position...position))
    return .temporary(temporaries.count - 1)
  }

  /// Memory that `make` fills when the first plan is made, and that plans of the same weights
  /// share.
  mutating func constant(_ constant: Constant) -> Operand {
    constants.append(constant)
    return .constant(constants.count - 1)
  }

  /// Adds a step of oneDNN's. What it wants for scratch memory is provided.
  mutating func primitive(
    _ unit: Unit, _ operation: String, _ descriptor: consuming PrimitiveDescriptor,
    _ arguments: [(Argument, Operand)]
  ) {
    let scratch = descriptor.byteCount(.scratch)
    var arguments = arguments
    if scratch > 0 { arguments.append((.scratch, temporary(byteCount: scratch))) }
    let description = PlanStep(
      name: unit.name, operation: operation, implementation: descriptor.implementation,
      shape: value(unit.output).shape)
    steps.append(Step(description, .primitive(PrimitiveStep(descriptor, arguments))))
  }

  /// Adds a step of the engine's own.
  mutating func kernel(
    _ unit: Unit, _ operation: String, _ operands: [Operand], _ body: @escaping Kernel
  ) {
    kernel(unit, operation, operands, preparing: { body })
  }

  /// Adds a step of the engine's own that has tables to be made.
  ///
  /// - Parameter make: gives what is run; called when the plan is made.
  mutating func kernel(
    _ unit: Unit, _ operation: String, _ operands: [Operand],
    preparing make: @escaping () throws(ComputeError) -> Kernel
  ) {
    let description = PlanStep(
      name: unit.name, operation: operation, implementation: "aviary",
      shape: value(unit.output).shape)
    steps.append(Step(description, .kernel(make, operands)))
  }

  /// A parameter as it stands, row-major.
  mutating func parameter(_ name: String, _ shape: [Int]) throws(ComputeError) -> Operand {
    constant(
      Constant(
        key: Constant.Key(parameters: [name], form: .matrix),
        descriptor: try MemoryDescriptor(shape, .planar), shape: shape, parameter: name
      ) { weights throws(ComputeError) in try weights.values(name) })
  }

  private mutating func copyOutput(_ output: Int) {
    let value = program.outputs[output].value
    let count = self.value(value).count
    let description = PlanStep(
      name: program.outputs[output].name, operation: "copy", implementation: "aviary",
      shape: self.value(value).shape)
    let copy: Kernel = { memory, _ in
      unsafe memory[1].update(from: memory[0], count: count)
    }
    steps.append(Step(description, .kernel({ copy }, [.value(value), .output(output)])))
  }
}
