extension Lowering {
  /// The way back through a PReLU, to what it took and to its slopes.
  mutating func preluGradient(_ unit: Unit) throws(ComputeError) {
    let shape = value(unit.output).shape
    let channels = shape[1]
    let slopeShape = slopeShape(shape)
    let backward = try PrimitiveDescriptor.preluGradient(
      program.descriptor(unit.output), slopes: .any(slopeShape),
      after: preluDescriptor(unit, .training), engine.handle)
    // oneDNN chooses how slopes lie: their gradient is copied out of that, as gradients are row-major.
    let given = try backward.descriptor(.weightsGradient)
    let sums = temporary(byteCount: given.byteCount)
    let weights = constant(
      slopeConstant(
        unit.parameters[0], try backward.descriptor(.weights), slopeShape, channels: channels))
    primitive(
      unit, unit.work.name, backward,
      [
        (.source, .value(unit.inputs[1])), (.weights, weights),
        (.destinationGradient, .value(unit.inputs[0])), (.sourceGradient, .value(unit.output)),
        (.weightsGradient, sums),
      ])
    let result = Operand.value(unit.extraOutputs[0])
    let plain = try MemoryDescriptor(slopeShape, .planar)
    guard value(unit.extraOutputs[0]).count != channels else {
      try copy(unit, sums, given, to: result, plain)
      return
    }
    // One slope for all has been repeated for every channel.
    let ordered = temporary(byteCount: plain.byteCount)
    try copy(unit, sums, given, to: ordered, plain)
    kernel(unit, "sum of channels", [ordered, result]) { memory, _ in
      var sum = 0.0
      for channel in 0..<channels { unsafe sum += Double(memory[0][channel]) }
      unsafe memory[1][0] = Float(sum)
    }
  }
}
