import AviaryGraph
import CDNNL

extension Lowering {
  /// A sum, difference or product of two values, of which one may repeat along any dimension.
  mutating func binary(_ unit: Unit, _ op: Binary) throws(ComputeError) {
    var (a, b) = (unit.inputs[0], unit.inputs[1])
    let shape = value(unit.output).shape
    // oneDNN repeats the second operand only, and writes over the first only.
    let output = storage.places[unit.output]
    if op != .subtract,
      value(a).shape != shape || value(b).shape == shape && storage.places[b] == output
    {
      swap(&a, &b)
    }
    let algorithm =
      switch op {
      case .add: dnnl_binary_add
      case .subtract: dnnl_binary_sub
      case .multiply: dnnl_binary_mul
      }
    // Not every pattern of repetition has fast code in oneDNN; the engine's own is fast enough for
    // the rest, which are small or rare.
    if value(a).shape == shape,
      let descriptor = try? PrimitiveDescriptor.binary(
        algorithm, program.descriptor(a), program.descriptor(b),
        to: program.descriptor(unit.output), engine.handle),
      !descriptor.isReference
    {
      primitive(
        unit, op.name, descriptor,
        [
          (.source, .value(a)), (.secondSource, .value(b)), (.destination, .value(unit.output)),
        ])
    } else {
      repeating(unit, op, a, b)
    }
  }

  /// Adds the sum of two values of one shape and layout.
  mutating func add(
    _ unit: Unit, _ a: Operand, _ b: Operand, to destination: Operand,
    _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.binary(
      dnnl_binary_add, memory, memory, to: memory, engine.handle)
    primitive(
      unit, "add", descriptor, [(.source, a), (.secondSource, b), (.destination, destination)])
  }

  /// Adds the general case: each operand repeats along whatever dimensions it has but one of.
  private mutating func repeating(_ unit: Unit, _ op: Binary, _ a: Int, _ b: Int) {
    let shape = value(unit.output).shape
    let strides = [a, b, unit.output].map { Repetition(value($0), in: shape) }
    // Chosen once, not for every element: the closure's call is all that is left in the loop.
    let combine: (Float, Float) -> Float =
      switch op {
      case .add: { $0 + $1 }
      case .subtract: { $0 - $1 }
      case .multiply: { $0 * $1 }
      }
    kernel(
      unit, op.name, [.value(a), .value(b), .value(unit.output)]
    ) { memory, workers in
      Repetition.combine(strides, memory, workers, combine)
    }
  }
}

extension Binary: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.binary(unit, self)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.arithmetic(unit, self, gradient)
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool {
    unit.inputs.allSatisfy { program.values[$0].shape == program.values[unit.output].shape }
  }

  func overwritable(_ unit: Unit, _ program: Program) -> [Int] {
    let operands = self == .subtract ? unit.inputs.prefix(1) : unit.inputs[...]
    return operands.filter { program.values[$0].shape == program.values[unit.output].shape }
  }
}

/// By an operand that repeats: the sum over its repetitions. Takes the gradient and, if it is that
/// of a product, the other operand.
struct BroadcastGradient: GradientKernel {
  var name: String { "sum of repetitions" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.repetitionGradient(unit)
  }
}

extension Differentiation {
  fileprivate mutating func arithmetic(_ unit: Unit, _ op: Binary, _ gradient: Int) {
    let (a, b) = (unit.inputs[0], unit.inputs[1])
    guard op == .multiply else {
      addSum(of: gradient, unit, to: a)
      guard isWanted(b) else { return }
      addSum(of: gradient, unit, to: b, isNegative: op == .subtract)
      return
    }
    // Of a square both are the same value, which then gets both parts: 2x.
    for (input, other) in [(a, b), (b, a)] where isWanted(input) {
      if shape(input) == shape(gradient) {
        let part = step(unit, .other(.binary(.multiply)), [gradient, other], shape(gradient))
        add(part, to: input)
      } else {
        let part = step(
          unit, .gradient(.by(BroadcastGradient())), [gradient, other], shape(input))
        add(part, to: input)
      }
    }
  }

  /// Says that a value, or what it sums to where the operand repeats, is part of the operand's
  /// gradient.
  mutating func addSum(
    of value: Int, _ unit: Unit, to operand: Int, isNegative: Bool = false
  ) {
    guard isWanted(operand) else { return }
    let size = shape(operand)
    var part = value
    if shape(part) != size { part = step(unit, .gradient(.by(BroadcastGradient())), [part], size) }
    if isNegative { part = step(unit, .affine, [part], size, affine: [.scale([-1])]) }
    add(part, to: operand)
  }
}

extension Lowering {
  /// The sum of all that the repetitions of an operand get.
  fileprivate mutating func repetitionGradient(_ unit: Unit) {
    let factor = unit.inputs.count > 1 ? unit.inputs[1] : nil
    let sum = RepetitionGradient(
      operand: value(unit.output), result: value(unit.inputs[0]), factor: factor.map(value))
    kernel(
      unit, unit.work.name, [.value(unit.output)] + unit.inputs.map { .value($0) }
    ) { memory, workers in
      unsafe sum.run(
        memory[1], memory.count > 2 ? memory[2] : nil, to: memory[0], workers)
    }
  }
}
