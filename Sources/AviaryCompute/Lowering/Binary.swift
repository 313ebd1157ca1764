import AviaryGraph
import CDNNL

extension Lowering {
  /// A sum, difference or product of two values, of which one may repeat along any dimension.
  mutating func binary(_ unit: Unit, _ op: Op) throws(ComputeError) {
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
      default: dnnl_binary_mul
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
  private mutating func repeating(_ unit: Unit, _ op: Op, _ a: Int, _ b: Int) {
    let shape = value(unit.output).shape
    let strides = [a, b, unit.output].map { Repetition(value($0), in: shape) }
    // Chosen once, not for every element: the closure's call is all that is left in the loop.
    let combine: (Float, Float) -> Float =
      switch op {
      case .add: { $0 + $1 }
      case .subtract: { $0 - $1 }
      default: { $0 * $1 }
      }
    kernel(
      unit, op.name, [.value(a), .value(b), .value(unit.output)]
    ) { memory, workers in
      Repetition.combine(strides, memory, workers, combine)
    }
  }
}
