import AviaryGraph

extension Lowering {
  /// A product with a matrix over the last dimension.
  mutating func linear(_ unit: Unit, bias: Bool) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape, output = value(unit.output).shape
    guard let depth = input.last, let features = output.last else {
      preconditionFailure("the shape function has seen to it that there is a dimension")
    }
    // All dimensions but the last are rows of one matrix: values that are no pictures lie row-major.
    let rows = input.dropLast().reduce(1, *)
    let descriptor = try PrimitiveDescriptor.innerProduct(
      MemoryDescriptor([rows, depth], .planar), .any([features, depth]),
      bias: bias ? MemoryDescriptor([features], .planar) : nil,
      to: MemoryDescriptor([rows, features], .planar), engine.handle)
    let matrix = unit.parameters[0]
    var arguments: [(Argument, Operand)] = [
      (.source, .value(unit.inputs[0])), (.destination, .value(unit.output)),
      (
        .weights,
        constant(
          Constant(
            key: Constant.Key(parameters: [matrix], form: .matrix),
            descriptor: try descriptor.descriptor(.weights), shape: [features, depth],
            parameter: matrix
          ) { weights throws(ComputeError) in try weights.values(matrix) })
      ),
    ]
    if bias {
      let name = unit.parameters[1]
      arguments.append(
        (
          .bias,
          constant(
            Constant(
              key: Constant.Key(parameters: [name], form: .matrix),
              descriptor: try descriptor.descriptor(.bias), shape: [features], parameter: name
            ) { weights throws(ComputeError) in try weights.values(name) })
        ))
    }
    primitive(unit, "linear", descriptor, arguments)
  }
}

extension Linear: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.linear(unit, bias: bias)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.linear(unit, gradient)
  }
}

/// By what a linear layer took. Takes the result's gradient.
struct LinearInputGradient: GradientKernel {
  var name: String { "linear (gradient of input)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.linearInputGradient(unit)
  }
}

/// By the matrix of a linear layer and, beside, by its bias, if it has one. Takes what it took and
/// the result's gradient.
struct LinearWeightsGradient: GradientKernel {
  var name: String { "linear (gradient of weights)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.linearWeightsGradient(unit)
  }
}

extension Differentiation {
  fileprivate mutating func linear(_ unit: Unit, _ gradient: Int) {
    let input = unit.inputs[0], names = unit.parameters
    if isWanted(input) {
      let part = step(
        unit, .gradient(.by(LinearInputGradient())), [gradient], shape(input),
        parameters: [names[0]])
      add(part, to: input)
    }
    guard names.contains(where: isLearned) else { return }
    let sums = names.dropFirst().map { newValue(parameterShape($0)) }
    let part = step(
      unit, .gradient(.by(LinearWeightsGradient())), [input, gradient], parameterShape(names[0]),
      extraOutputs: sums)
    add(part, toParameter: names[0])
    for (name, sum) in zip(names.dropFirst(), sums) { add(sum, toParameter: name) }
  }
}

extension Lowering {
  /// The way back through a linear layer to what it took.
  fileprivate mutating func linearInputGradient(_ unit: Unit) throws(ComputeError) {
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
  fileprivate mutating func linearWeightsGradient(_ unit: Unit) throws(ComputeError) {
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
}
