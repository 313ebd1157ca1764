extension Lowering {
  /// The sum of all that the repetitions of an operand get.
  mutating func repetitionGradient(_ unit: Unit) {
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

  /// What a sum or a mean gives back to the elements that it is of.
  mutating func spread(_ unit: Unit, _ dimensions: [Int], factor: Double) {
    var source = value(unit.inputs[0])
    let shape = value(unit.output).shape
    // With the dimensions that went kept as 1, which changes nothing in memory.
    source.shape = shape.indices.map { dimensions.contains($0) ? 1 : shape[$0] }
    let spread = Spread(source, over: shape, factor: factor)
    kernel(unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)]) {
      memory, workers in unsafe spread.run(memory[0], to: memory[1], workers)
    }
  }

  /// What a maximum gives back to the elements that equal it.
  mutating func maximumGradient(_ unit: Unit, _ dimensions: [Int]) {
    let shape = value(unit.output).shape
    kernel(
      unit, unit.work.name, [.value(unit.output)] + unit.inputs.map { .value($0) },
      preparing: {
        let gradient = MaximumGradient(shape, dimensions)
        return { memory, workers in
          unsafe gradient.run(memory[1], memory[2], memory[3], to: memory[0], workers)
        }
      })
  }
}
