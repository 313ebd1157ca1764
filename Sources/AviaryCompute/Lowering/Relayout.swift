extension Lowering {
  /// A copy into another layout.
  mutating func relayout(_ unit: Unit) throws(ComputeError) {
    try copy(
      unit, .value(unit.inputs[0]), program.descriptor(unit.inputs[0]), to: .value(unit.output),
      program.descriptor(unit.output))
  }

  /// Adds a copy between any two layouts.
  mutating func copy(
    _ unit: Unit, _ source: Operand, _ from: MemoryDescriptor, to destination: Operand,
    _ to: MemoryDescriptor
  ) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor(reorder: from, to: to, engine.handle)
    primitive(unit, "relayout", descriptor, [(.source, source), (.destination, destination)])
  }
}
