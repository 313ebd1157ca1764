import AviaryGraph

extension Lowering {
  /// A function of single values.
  mutating func elementwise(_ unit: Unit, _ activation: Activation) throws(ComputeError) {
    try elementwise(
      unit, activation, .value(unit.inputs[0]), to: .value(unit.output),
      program.descriptor(unit.output))
  }

  /// Adds a function of single values that writes over its input.
  mutating func elementwise(
    _ unit: Unit, _ activation: Activation, _ place: Operand, _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    try elementwise(unit, activation, place, to: place, memory)
  }

  private mutating func elementwise(
    _ unit: Unit, _ activation: Activation, _ source: Operand, to destination: Operand,
    _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    // Source and destination have one descriptor: oneDNN works in place where they coincide.
    let function = Elementwise(activation, step: unit.mode.outputNumbers.step)
    let descriptor = try PrimitiveDescriptor.elementwise(function, memory, engine.handle)
    primitive(
      unit, Op.activation(activation).name, descriptor,
      [(.source, source), (.destination, destination)])
  }
}
