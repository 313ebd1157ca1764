import AviaryGraph
import CDNNL

extension Lowering {
  /// A sum, difference or product of two values, of which one may repeat along any dimension.
  mutating func binary(_ fusedOp: FusedOp, _ op: Binary) throws(ComputeError) {
    var (a, b) = (fusedOp.inputs[0], fusedOp.inputs[1])
    let shape = value(fusedOp.output).shape
    // oneDNN repeats the second operand only, and writes over the first only.
    let output = buffers.places[fusedOp.output]
    if op != .subtract,
      value(a).shape != shape || value(b).shape == shape && buffers.places[b] == output
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
        algorithm, ir.descriptor(a), ir.descriptor(b),
        to: ir.descriptor(fusedOp.output), engine.handle),
      !descriptor.isReference
    {
      primitive(
        fusedOp, op.name, descriptor,
        [
          (.source, .value(a)), (.secondSource, .value(b)), (.destination, .value(fusedOp.output)),
        ])
    } else {
      broadcasting(fusedOp, op, a, b)
    }
  }

  /// Adds the sum of two values of one shape and memory format.
  mutating func add(
    _ fusedOp: FusedOp, _ a: Operand, _ b: Operand, to destination: Operand,
    _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.binary(
      dnnl_binary_add, memory, memory, to: memory, engine.handle)
    primitive(
      fusedOp, "add", descriptor, [(.source, a), (.secondSource, b), (.destination, destination)])
  }

  /// Adds the general case: each operand repeats along whatever dimensions it has but one of.
  private mutating func broadcasting(_ fusedOp: FusedOp, _ op: Binary, _ a: Int, _ b: Int) {
    let shape = value(fusedOp.output).shape
    let strides = [a, b, fusedOp.output].map { Broadcast(value($0), in: shape) }
    // Chosen once, not for every element: the closure's call is all that is left in the loop.
    let combine: (Float, Float) -> Float =
      switch op {
      case .add: { $0 + $1 }
      case .subtract: { $0 - $1 }
      case .multiply: { $0 * $1 }
      }
    kernel(
      fusedOp, op.name, [.value(a), .value(b), .value(fusedOp.output)]
    ) { memory, workers in
      Broadcast.combine(strides, memory, workers, combine)
    }
  }
}

extension Binary: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.binary(fusedOp, self)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.arithmetic(fusedOp, self, gradient)
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool {
    fusedOp.inputs.allSatisfy { ir.values[$0].shape == ir.values[fusedOp.output].shape }
  }

  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] {
    let operands = self == .subtract ? fusedOp.inputs.prefix(1) : fusedOp.inputs[...]
    return operands.filter { ir.values[$0].shape == ir.values[fusedOp.output].shape }
  }
}

/// By an operand that repeats: the sum over its repetitions. Takes the gradient and, if it is that
/// of a product, the other operand.
struct BroadcastGradient: GradientKernel {
  var name: String { "sum of repetitions" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.reduceToShape(fusedOp)
  }
}

extension Autodiff {
  fileprivate mutating func arithmetic(_ fusedOp: FusedOp, _ op: Binary, _ gradient: Int) {
    let (a, b) = (fusedOp.inputs[0], fusedOp.inputs[1])
    guard op == .multiply else {
      addSum(of: gradient, fusedOp, to: a)
      guard isNeeded(b) else { return }
      addSum(of: gradient, fusedOp, to: b, isNegative: op == .subtract)
      return
    }
    // Of a square both are the same value, which then gets both parts: 2x.
    for (input, other) in [(a, b), (b, a)] where isNeeded(input) {
      if shape(input) == shape(gradient) {
        let part = step(fusedOp, .other(.binary(.multiply)), [gradient, other], shape(gradient))
        add(part, to: input)
      } else {
        let part = step(
          fusedOp, .gradient(.by(BroadcastGradient())), [gradient, other], shape(input))
        add(part, to: input)
      }
    }
  }

  /// Says that a value, or what it sums to where the operand repeats, is part of the operand's
  /// gradient.
  mutating func addSum(
    of value: Int, _ fusedOp: FusedOp, to operand: Int, isNegative: Bool = false
  ) {
    guard isNeeded(operand) else { return }
    let size = shape(operand)
    var part = value
    if shape(part) != size {
      part = step(fusedOp, .gradient(.by(BroadcastGradient())), [part], size)
    }
    if isNegative { part = step(fusedOp, .scaleShift, [part], size, scaleShift: [.scale([-1])]) }
    add(part, to: operand)
  }
}

extension Lowering {
  /// The sum of all that the repetitions of an operand get.
  fileprivate mutating func reduceToShape(_ fusedOp: FusedOp) {
    let factor = fusedOp.inputs.count > 1 ? fusedOp.inputs[1] : nil
    let sum = ReduceToShape(
      operand: value(fusedOp.output), result: value(fusedOp.inputs[0]), factor: factor.map(value))
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.output)] + fusedOp.inputs.map { .value($0) }
    ) { memory, workers in
      unsafe sum.run(
        memory[1], memory.count > 2 ? memory[2] : nil, to: memory[0], workers)
    }
  }
}
