extension Lowering {
  /// A copy into another memory format or data type.
  mutating func reorder(_ fusedOp: FusedOp) throws(ComputeError) {
    let from = value(fusedOp.inputs[0]).format.dataType, to = value(fusedOp.output).format.dataType
    try copy(
      fusedOp, .value(fusedOp.inputs[0]), ir.descriptor(fusedOp.inputs[0]),
      to: .value(fusedOp.output),
      ir.descriptor(fusedOp.output), scale: from == to ? 1 : from.scale / to.scale)
  }

  /// Adds a copy between any two memory formats.
  ///
  /// - Parameter scale: what every number is multiplied with.
  mutating func copy(
    _ fusedOp: FusedOp, _ source: Operand, _ from: MemoryDescriptor, to destination: Operand,
    _ to: MemoryDescriptor, scale: Float = 1
  ) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.reorder(from, to: to, scale: scale, engine.handle)
    primitive(fusedOp, "reorder", descriptor, [(.source, source), (.destination, destination)])
  }
}
