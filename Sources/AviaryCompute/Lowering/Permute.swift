extension Lowering {
  /// The dimensions in another order: a copy from memory that is described in the order of the
  /// result.
  mutating func permute(_ unit: Unit, _ order: [Int]) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    var strides = [Int](repeating: 1, count: input.count)
    for i in input.indices.dropLast().reversed() { strides[i] = strides[i + 1] * input[i + 1] }
    let from = try MemoryDescriptor(
      value(unit.output).shape, strides: order.map { strides[$0] })
    try copy(
      unit, .value(unit.inputs[0]), from, to: .value(unit.output),
      program.descriptor(unit.output))
  }

  /// Elements moved round along some dimensions.
  mutating func roll(_ unit: Unit, shifts: [Int], dimensions: [Int]) {
    let shape = value(unit.output).shape
    let roll = Roll(shape, Dictionary(uniqueKeysWithValues: zip(dimensions, shifts)))
    kernel(unit, "roll", [.value(unit.inputs[0]), .value(unit.output)]) { memory, workers in
      unsafe roll.run(memory[0], to: memory[1], workers)
    }
  }
}
