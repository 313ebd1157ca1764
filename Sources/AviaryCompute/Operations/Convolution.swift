import AviaryGraph

extension Lowering {
  /// A convolution, or a transposed one of stride 1 as a convolution with flipped kernel.
  mutating func convolution(
    _ unit: Unit, _ c: Convolution, flipped: Bool
  ) throws(ComputeError) {
    if unit.mode.algorithm == .planes { return try planes(unit) }
    let input = value(unit.inputs[0]).shape
    let source = KernelSource(unit, c, channels: input[1], flipped: flipped)
    let rows = flipped ? source.allRows.reversed() : source.allRows
    let columns = flipped ? source.allColumns.reversed() : source.allColumns
    let amounts = c.padding.amounts(
      size: Size(input[2], input[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation)
    if unit.mode.algorithm == .winograd {
      try winograd(
        unit, c.stride == 1 ? .plain : .halving, source, rows: rows, columns: columns,
        before: Size(amounts.top, amounts.left))
      return
    }
    let call = ConvolutionCall(
      unit: unit, input: input, output: value(unit.output).shape, kernel: c.kernel,
      stride: c.stride, dilation: c.dilation, groups: c.groups, amounts: amounts,
      hasBias: source.hasBias)
    let fused = try convolution(
      call, weights: { source.kernel(rows: rows, columns: columns, $0) }, bias: { source.bias($0) },
      from: .value(unit.inputs[0]), to: .value(unit.output), fusedOperations(unit),
      isOverwriting: !addsInPlace(unit))
    try finish(unit, fused.result, isFused: fused.isFused)
  }

  /// Adds a convolution with the copies that it needs where oneDNN does not offer the layouts that
  /// were decided.
  ///
  /// - Parameters:
  ///   - weights: makes the weights for what oneDNN wants.
  ///   - bias: makes the bias, if the call has one.
  ///   - isOverwriting: whether the destination may be written without the post-operations; else a
  ///     result without them goes elsewhere.
  /// - Returns: where the result is, and whether the post-operations are done.
  mutating func convolution(
    _ call: ConvolutionCall, weights: (MemoryDescriptor) -> Constant,
    bias: ((MemoryDescriptor) -> Constant)?, from input: Operand, to output: Operand,
    _ postOperations: [PostOperation], isOverwriting: Bool = true
  ) throws(ComputeError) -> (result: Operand, isFused: Bool) {
    let unit = call.unit
    let offer = try call.offer(postOperations, engine.handle)
    let isFused = offer.isFused
    let descriptor = offer.descriptor
    var arguments = [(Argument.weights, constant(weights(try descriptor.descriptor(.weights))))]
    if call.hasBias, let bias {
      arguments.append((.bias, constant(bias(try descriptor.descriptor(.bias)))))
    }
    let wanted = try descriptor.descriptor(.source)
    let given = try descriptor.descriptor(.destination)
    let has = try MemoryDescriptor(call.input, unit.mode.input, unit.mode.inputNumbers)
    let gives = try MemoryDescriptor(call.output, unit.mode.output, unit.mode.outputNumbers)
    var from = input
    if wanted != has {
      from = temporary(byteCount: wanted.byteCount)
      try copy(unit, input, has, to: from, wanted)
    }
    let result =
      isFused || isOverwriting ? output : temporary(byteCount: gives.byteCount)
    let to = given == gives ? result : temporary(byteCount: given.byteCount)
    arguments += [(.source, from), (.destination, to)]
    primitive(unit, "convolution", descriptor, arguments)
    if given != gives { try copy(unit, to, given, to: result, gives) }
    return (result, isFused)
  }

  /// What of a unit's epilogue can be fused: the addition only where the value to be added lies
  /// where the result goes.
  func fusedOperations(_ unit: Unit) -> [PostOperation] {
    let epilogue = unit.epilogue
    let step = unit.mode.outputNumbers.step
    var operations: [PostOperation] = []
    if let activation = epilogue.activation {
      operations.append(.elementwise(Elementwise(activation, step: step)))
    }
    if addsInPlace(unit) {
      operations.append(.sum)
      if let activation = epilogue.finalActivation {
        operations.append(.elementwise(Elementwise(activation, step: step)))
      }
    }
    return operations
  }

  /// Adds what of a unit's epilogue is not done yet.
  ///
  /// - Parameters:
  ///   - result: where the convolution's result is.
  ///   - isFused: whether `fusedOperations` are done.
  mutating func finish(
    _ unit: Unit, _ result: Operand, isFused: Bool
  ) throws(ComputeError) {
    let descriptor = try program.descriptor(unit.output)
    if let slopes = unit.epilogue.slopes, unit.mode.algorithm != .planes {
      try prelu(unit, slopes, result, to: .value(unit.output))
    }
    if !isFused, let activation = unit.epilogue.activation {
      try elementwise(unit, activation, result, descriptor)
    }
    guard let residual = unit.epilogue.residual, !isFused || !addsInPlace(unit) else { return }
    // Where the summand lies in the destination, the destination is the first operand.
    let operands: (Operand, Operand) =
      addsInPlace(unit) ? (.value(unit.output), result) : (result, .value(residual))
    try add(unit, operands.0, operands.1, to: .value(unit.output), descriptor)
    if let activation = unit.epilogue.finalActivation {
      try elementwise(unit, activation, .value(unit.output), descriptor)
    }
  }
}
