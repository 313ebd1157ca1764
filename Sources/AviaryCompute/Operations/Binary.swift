import AviaryGraph
import CDNNL

extension Binary {
  /// The function itself.
  func formula(_ a: PointwiseValue, _ b: PointwiseValue) -> PointwiseValue {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: a.power(b)
    case .minimum: a.minimum(b)
    case .maximum: a.maximum(b)
    case .equal: a.isEqual(to: b)
    case .less: a.isLess(than: b)
    case .lessOrEqual: a.isLessOrEqual(to: b)
    case .greater: b.isLess(than: a)
    case .greaterOrEqual: b.isLessOrEqual(to: a)
    }
  }

  /// The gradients by the two operands, before those of repetitions are summed.
  ///
  /// - Parameter g: the gradient by the result.
  fileprivate func gradients(
    _ g: PointwiseValue, _ a: PointwiseValue, _ b: PointwiseValue
  ) -> [PointwiseValue] {
    let zero = g.constant(0)
    switch self {
    case .add: return [g, g]
    case .subtract: return [g, -g]
    case .multiply: return [g * b, g * a]
    case .divide: return [g / b, -(g / b) * (a / b)]
    case .power:
      // 0 to the power of 0 is 1 whatever the base; 0 to any power is 0 whatever the power.
      let byBase = g * (b * a.power(b - 1))
      let byExponent = g * (a.power(b) * a.logarithm)
      let isZero = a.isEqual(to: zero) * zero.isLessOrEqual(to: b)
      return [
        b.isEqual(to: zero).choosing(zero, byBase), isZero.choosing(zero, byExponent),
      ]
    case .minimum, .maximum:
      // Equals share it.
      let shared = a.isEqual(to: b).choosing(g * 0.5, g)
      let (lost, won) = self == .minimum ? (b, a) : (a, b)
      return [
        lost.isLess(than: won).choosing(zero, shared),
        won.isLess(than: lost).choosing(zero, shared),
      ]
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: return [zero, zero]
    }
  }

  /// The function as oneDNN has it; nil where the engine's own is taken.
  fileprivate var oneDNN: dnnl_alg_kind_t? {
    switch self {
    case .add: dnnl_binary_add
    case .subtract: dnnl_binary_sub
    case .multiply: dnnl_binary_mul
    default: nil
    }
  }
}

extension Lowering {
  /// A function of two values, of which one may repeat along any dimension.
  fileprivate mutating func binary(_ fusedOp: FusedOp, _ op: Binary) throws(ComputeError) {
    var (a, b) = (fusedOp.inputs[0], fusedOp.inputs[1])
    let shape = value(fusedOp.output).shape
    // oneDNN repeats the second operand only, and writes over the first only.
    let output = buffers.places[fusedOp.output]
    if op != .subtract,
      value(a).shape != shape || value(b).shape == shape && buffers.places[b] == output
    {
      swap(&a, &b)
    }
    // Not every pattern of repetition has fast code in oneDNN.
    guard let algorithm = op.oneDNN, value(a).shape == shape, value(b).shape.count == shape.count,
      let descriptor = try? PrimitiveDescriptor.binary(
        algorithm, ir.descriptor(a), ir.descriptor(b),
        to: ir.descriptor(fusedOp.output), engine.handle),
      !descriptor.isReference
    else { return try pointwise(fusedOp) }
    primitive(
      fusedOp, op.name, descriptor,
      [
        (.source, .value(a)), (.secondSource, .value(b)), (.destination, .value(fusedOp.output)),
      ])
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
    oneDNN != nil && ir.sameShape(fusedOp) == fusedOp.inputs
  }

  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] {
    // oneDNN writes over the first only, and which is the first is open but for a difference.
    ir.sameShape(fusedOp).filter { self != .subtract || $0 == fusedOp.inputs[0] }
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
    switch op {
    case .add, .subtract:
      addSum(of: gradient, fusedOp, to: a)
      guard isNeeded(b) else { return }
      addSum(of: gradient, fusedOp, to: b, isNegative: op == .subtract)
    case .multiply:
      // Of a square both are the same value, which then gets both parts: 2x.
      for (input, other) in [(a, b), (b, a)] where isNeeded(input) {
        let isWhole = shape(input) == shape(gradient)
        let kind =
          isWhole ? OpKind.other(.binary(.multiply)) : .gradient(.by(BroadcastGradient()))
        add(step(fusedOp, kind, [gradient, other], shape(input)), to: input)
      }
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual:
      for input in [a, b] { addZero(fusedOp, to: input) }
    case .divide, .power, .minimum, .maximum:
      for (position, input) in [a, b].enumerated() {
        addPart(fusedOp, gradient, to: input) { op.gradients($0[0], $0[1], $0[2])[position] }
      }
    }
  }

  /// Adds the gradient by an operand of an elementwise operation.
  ///
  /// - Parameter part: calculates it, before repetitions are summed, of the gradient by the result
  ///   and of the operation's operands.
  mutating func addPart(
    _ fusedOp: FusedOp, _ gradient: Int, to operand: Int,
    _ part: ([PointwiseValue]) -> PointwiseValue
  ) {
    guard isNeeded(operand) else { return }
    let program = PointwiseProgram(operands: 1 + fusedOp.inputs.count, part)
    let kernel = PointwiseGradient(name: fusedOp.kind.name, program)
    let whole = step(
      fusedOp, .gradient(.by(kernel)), [gradient] + fusedOp.inputs, shape(gradient))
    addSum(of: whole, fusedOp, to: operand)
  }

  /// Adds a gradient of 0 by an operand: the operation has steps, and is level between them.
  mutating func addZero(_ fusedOp: FusedOp, to operand: Int) {
    guard isNeeded(operand) else { return }
    let kernel = PointwiseGradient(
      name: fusedOp.kind.name, PointwiseProgram(operands: 1) { $0[0].constant(0) })
    add(step(fusedOp, .gradient(.by(kernel)), [operand], shape(operand)), to: operand)
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
