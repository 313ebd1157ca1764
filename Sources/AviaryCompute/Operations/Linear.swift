import AviaryGraph

extension Lowering {
  /// A product with a matrix over the last dimension.
  mutating func linear(_ fusedOp: FusedOp, bias: Bool) throws(ComputeError) {
    let input = value(fusedOp.inputs[0]).shape, output = value(fusedOp.output).shape
    guard let depth = input.last, let features = output.last else {
      preconditionFailure("the shape function has seen to it that there is a dimension")
    }
    // All dimensions but the last are rows of one matrix: values that are not images lie row-major.
    let rows = input.dropLast().reduce(1, *)
    let descriptor = try PrimitiveDescriptor.innerProduct(
      MemoryDescriptor([rows, depth], .nchw), .any([features, depth]),
      bias: bias ? MemoryDescriptor([features], .nchw) : nil,
      to: MemoryDescriptor([rows, features], .nchw), engine.handle)
    let matrix = fusedOp.parameters[0]
    var arguments: [(Argument, Operand)] = [
      (.source, .value(fusedOp.inputs[0])), (.destination, .value(fusedOp.output)),
      (
        .weights,
        constant(
          PackedConstant(
            key: PackedConstant.Key(parameters: [matrix], packing: .matrix),
            descriptor: try descriptor.descriptor(.weights), shape: [features, depth],
            parameter: matrix
          ) { weights throws(ComputeError) in try weights.values(matrix) })
      ),
    ]
    if bias {
      let name = fusedOp.parameters[1]
      arguments.append(
        (
          .bias,
          constant(
            PackedConstant(
              key: PackedConstant.Key(parameters: [name], packing: .matrix),
              descriptor: try descriptor.descriptor(.bias), shape: [features], parameter: name
            ) { weights throws(ComputeError) in try weights.values(name) })
        ))
    }
    primitive(fusedOp, "linear", descriptor, arguments)
  }
}

extension Linear: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.linear(fusedOp, bias: bias)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.linear(fusedOp, gradient)
  }
}

/// By what a linear layer took. Takes the result's gradient.
struct LinearInputGradient: GradientKernel {
  var name: String { "linear (gradient of input)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.linearInputGradient(fusedOp)
  }
}

/// By the matrix of a linear layer and, beside, by its bias, if it has one. Takes what it took and
/// the result's gradient.
struct LinearWeightsGradient: GradientKernel {
  var name: String { "linear (gradient of weights)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.linearWeightsGradient(fusedOp)
  }
}

extension Autodiff {
  fileprivate mutating func linear(_ fusedOp: FusedOp, _ gradient: Int) {
    let input = fusedOp.inputs[0], names = fusedOp.parameters
    if isNeeded(input) {
      let part = step(
        fusedOp, .gradient(.by(LinearInputGradient())), [gradient], shape(input),
        parameters: [names[0]])
      add(part, to: input)
    }
    guard names.contains(where: isLearned) else { return }
    let sums = names.dropFirst().map { newValue(parameterShape($0)) }
    let part = step(
      fusedOp, .gradient(.by(LinearWeightsGradient())), [input, gradient], parameterShape(names[0]),
      extraOutputs: sums)
    add(part, toParameter: names[0])
    for (name, sum) in zip(names.dropFirst(), sums) { add(sum, toParameter: name) }
  }
}

extension Lowering {
  /// The backward pass through a linear layer to what it took.
  fileprivate mutating func linearInputGradient(_ fusedOp: FusedOp) throws(ComputeError) {
    let (source, destination) = try rows(of: fusedOp.output, fusedOp.inputs[0])
    let shape = [value(fusedOp.inputs[0]).shape.last ?? 1, value(fusedOp.output).shape.last ?? 1]
    let descriptor = try PrimitiveDescriptor.innerProductInputGradient(
      source, .any(shape), destination, engine.handle)
    let name = fusedOp.parameters[0]
    let matrix = constant(
      PackedConstant(
        key: PackedConstant.Key(parameters: [name], packing: .matrix),
        descriptor: try descriptor.descriptor(.weights), shape: shape, parameter: name
      ) { weights throws(ComputeError) in try weights.values(name) })
    primitive(
      fusedOp, fusedOp.kind.name, descriptor,
      [
        (.destinationGradient, .value(fusedOp.inputs[0])), (.weights, matrix),
        (.sourceGradient, .value(fusedOp.output)),
      ])
  }

  /// The gradient by the matrix of a linear layer and by its bias.
  fileprivate mutating func linearWeightsGradient(_ fusedOp: FusedOp) throws(ComputeError) {
    let (source, destination) = try rows(of: fusedOp.inputs[0], fusedOp.inputs[1])
    let shape = value(fusedOp.output).shape
    let descriptor = try PrimitiveDescriptor.innerProductWeightsGradient(
      source, .any(shape),
      bias: fusedOp.extraOutputs.isEmpty ? nil : MemoryDescriptor([shape[0]], .nchw), destination,
      engine.handle)
    let gives = try ir.descriptor(fusedOp.output)
    let given = try descriptor.descriptor(.weightsGradient)
    let to = given == gives ? .value(fusedOp.output) : temporary(byteCount: given.byteCount)
    var arguments: [(Argument, Operand)] = [
      (.source, .value(fusedOp.inputs[0])), (.destinationGradient, .value(fusedOp.inputs[1])),
      (.weightsGradient, to),
    ]
    if let bias = fusedOp.extraOutputs.first { arguments.append((.biasGradient, .value(bias))) }
    primitive(fusedOp, fusedOp.kind.name, descriptor, arguments)
    if given != gives { try copy(fusedOp, to, given, to: .value(fusedOp.output), gives) }
  }

  /// A linear layer's input and result as matrices: all dimensions but the last are rows.
  private func rows(
    of input: Int, _ result: Int
  ) throws(ComputeError) -> (MemoryDescriptor, MemoryDescriptor) {
    func matrix(_ number: Int) throws(ComputeError) -> MemoryDescriptor {
      let shape = value(number).shape
      return try MemoryDescriptor([shape.dropLast().reduce(1, *), shape.last ?? 1], .nchw)
    }
    return (try matrix(input), try matrix(result))
  }
}
