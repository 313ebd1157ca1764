extension Lowering {
  /// A copy into another layout, or other numbers.
  mutating func relayout(_ unit: Unit) throws(ComputeError) {
    let from = value(unit.inputs[0]).form.numbers, to = value(unit.output).form.numbers
    try copy(
      unit, .value(unit.inputs[0]), program.descriptor(unit.inputs[0]), to: .value(unit.output),
      program.descriptor(unit.output), scale: from == to ? 1 : from.step / to.step)
  }

  /// Adds a copy between any two layouts.
  ///
  /// - Parameter scale: what every number is multiplied with.
  mutating func copy(
    _ unit: Unit, _ source: Operand, _ from: MemoryDescriptor, to destination: Operand,
    _ to: MemoryDescriptor, scale: Float = 1
  ) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.reorder(from, to: to, scale: scale, engine.handle)
    primitive(unit, "relayout", descriptor, [(.source, source), (.destination, destination)])
  }
}
