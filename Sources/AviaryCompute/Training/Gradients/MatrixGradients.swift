extension Lowering {
  /// The way back through a linear layer to what it took.
  mutating func linearInputGradient(_ unit: Unit) throws(ComputeError) {
    let (source, destination) = try rows(of: unit.output, unit.inputs[0])
    let shape = [value(unit.inputs[0]).shape.last ?? 1, value(unit.output).shape.last ?? 1]
    let descriptor = try PrimitiveDescriptor.innerProductInputGradient(
      source, .any(shape), destination, engine.handle)
    let name = unit.parameters[0]
    let matrix = constant(
      Constant(
        key: Constant.Key(parameters: [name], form: .matrix),
        descriptor: try descriptor.descriptor(.weights), shape: shape, parameter: name
      ) { weights throws(ComputeError) in try weights.values(name) })
    primitive(
      unit, unit.work.name, descriptor,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.weights, matrix),
        (.sourceGradient, .value(unit.output)),
      ])
  }

  /// The gradient by the matrix of a linear layer and by its bias.
  mutating func linearWeightsGradient(_ unit: Unit) throws(ComputeError) {
    let (source, destination) = try rows(of: unit.inputs[0], unit.inputs[1])
    let shape = value(unit.output).shape
    let descriptor = try PrimitiveDescriptor.innerProductWeightsGradient(
      source, .any(shape),
      bias: unit.extraOutputs.isEmpty ? nil : MemoryDescriptor([shape[0]], .planar), destination,
      engine.handle)
    let gives = try program.descriptor(unit.output)
    let given = try descriptor.descriptor(.weightsGradient)
    let to = given == gives ? .value(unit.output) : temporary(byteCount: given.byteCount)
    var arguments: [(Argument, Operand)] = [
      (.source, .value(unit.inputs[0])), (.destinationGradient, .value(unit.inputs[1])),
      (.weightsGradient, to),
    ]
    if let bias = unit.extraOutputs.first { arguments.append((.biasGradient, .value(bias))) }
    primitive(unit, unit.work.name, descriptor, arguments)
    if given != gives { try copy(unit, to, given, to: .value(unit.output), gives) }
  }

  /// A linear layer's input and result as matrices: all dimensions but the last are rows.
  private func rows(
    of input: Int, _ result: Int
  ) throws(ComputeError) -> (MemoryDescriptor, MemoryDescriptor) {
    func matrix(_ number: Int) throws(ComputeError) -> MemoryDescriptor {
      let shape = value(number).shape
      return try MemoryDescriptor([shape.dropLast().reduce(1, *), shape.last ?? 1], .planar)
    }
    return (try matrix(input), try matrix(result))
  }

  /// The way back through a softmax, by its result.
  mutating func softmaxGradient(_ unit: Unit, _ dimension: Int) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.softmaxGradient(
      program.descriptor(unit.output), dimension, engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.destination, .value(unit.inputs[1])),
        (.sourceGradient, .value(unit.output)),
      ])
  }
}
