import AviaryGraph

extension Lowering {
  /// A convolution, or a transposed one of stride 1 as a convolution with flipped kernel.
  mutating func convolution(
    _ fusedOp: FusedOp, _ c: Convolution, flipped: Bool
  ) throws(ComputeError) {
    if fusedOp.candidate.algorithm == .spatial { return try planes(fusedOp) }
    let input = value(fusedOp.inputs[0]).shape
    let source = WeightPacking(fusedOp, c, channels: input[1], flipped: flipped)
    let rows = flipped ? source.allRows.reversed() : source.allRows
    let columns = flipped ? source.allColumns.reversed() : source.allColumns
    let amounts = c.padding.amounts(
      size: Size(input[2], input[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation)
    if let format = fusedOp.candidate.algorithm.transform(of: c) {
      return try transformed(
        fusedOp, format, source, rows: rows, columns: columns,
        before: Size(amounts.top, amounts.left))
    }
    let call = ConvolutionCall(
      fusedOp: fusedOp, input: input, output: value(fusedOp.output).shape, kernel: c.kernel,
      stride: c.stride, dilation: c.dilation, groups: c.groups, amounts: amounts,
      hasBias: source.hasBias)
    let fused = try convolution(
      call, weights: { source.kernel(rows: rows, columns: columns, $0) }, bias: { source.bias($0) },
      from: .value(fusedOp.inputs[0]), to: .value(fusedOp.output), fusedOperations(fusedOp),
      isOverwriting: !addsInPlace(fusedOp))
    try finish(fusedOp, fused.result, isFused: fused.isFused)
  }

  /// Adds a convolution with the copies that it needs where oneDNN does not offer the memory
  /// formats that were decided.
  ///
  /// - Parameters:
  ///   - weights: makes the weights for what oneDNN wants.
  ///   - bias: makes the bias, if the call has one.
  ///   - isOverwriting: whether the destination may be written without the post-operations; else a
  ///     result without them goes elsewhere.
  /// - Returns: where the result is, and whether the post-operations are done.
  mutating func convolution(
    _ call: ConvolutionCall, weights: (MemoryDescriptor) -> PackedConstant,
    bias: ((MemoryDescriptor) -> PackedConstant)?, from input: Operand, to output: Operand,
    _ postOperations: [PostOperation], isOverwriting: Bool = true
  ) throws(ComputeError) -> (result: Operand, isFused: Bool) {
    let fusedOp = call.fusedOp
    let offer = try call.offer(postOperations, engine.handle)
    let isFused = offer.isFused
    let descriptor = offer.descriptor
    var arguments = [(Argument.weights, constant(weights(try descriptor.descriptor(.weights))))]
    if call.hasBias, let bias {
      arguments.append((.bias, constant(bias(try descriptor.descriptor(.bias)))))
    }
    let wanted = try descriptor.descriptor(.source)
    let given = try descriptor.descriptor(.destination)
    let has = try MemoryDescriptor(
      call.input, fusedOp.candidate.input, fusedOp.candidate.inputDataType)
    let gives = try MemoryDescriptor(
      call.output, fusedOp.candidate.output, fusedOp.candidate.outputDataType)
    var from = input
    if wanted != has {
      from = temporary(byteCount: wanted.byteCount)
      try copy(fusedOp, input, has, to: from, wanted)
    }
    let result =
      isFused || isOverwriting ? output : temporary(byteCount: gives.byteCount)
    let to = given == gives ? result : temporary(byteCount: given.byteCount)
    arguments += [(.source, from), (.destination, to)]
    primitive(fusedOp, "convolution", descriptor, arguments)
    if given != gives { try copy(fusedOp, to, given, to: result, gives) }
    return (result, isFused)
  }

  /// What of a fused op's epilogue can be fused: the addition only where the value to be added lies
  /// where the result goes.
  func fusedOperations(_ fusedOp: FusedOp) -> [PostOperation] {
    let epilogue = fusedOp.epilogue
    let scale = fusedOp.candidate.outputDataType.scale
    var operations: [PostOperation] = []
    if let activation = epilogue.activation {
      operations.append(.elementwise(Elementwise(fused: activation, scale: scale)))
    }
    if addsInPlace(fusedOp) {
      operations.append(.sum)
      if let activation = epilogue.finalActivation {
        operations.append(.elementwise(Elementwise(fused: activation, scale: scale)))
      }
    }
    return operations
  }

  /// Adds what of a fused op's epilogue is not done yet.
  ///
  /// - Parameters:
  ///   - result: where the convolution's result is.
  ///   - isFused: whether `fusedOperations` are done.
  mutating func finish(
    _ fusedOp: FusedOp, _ result: Operand, isFused: Bool
  ) throws(ComputeError) {
    let descriptor = try ir.descriptor(fusedOp.output)
    if let slopes = fusedOp.epilogue.slopes, fusedOp.candidate.algorithm != .spatial {
      try prelu(fusedOp, slopes, result, to: .value(fusedOp.output))
    }
    if !isFused, let activation = fusedOp.epilogue.activation {
      try elementwise(fusedOp, activation, result, descriptor)
    }
    guard let residual = fusedOp.epilogue.residual, !isFused || !addsInPlace(fusedOp) else {
      return
    }
    // Where the summand lies in the destination, the destination is the first operand.
    let operands: (Operand, Operand) =
      addsInPlace(fusedOp) ? (.value(fusedOp.output), result) : (result, .value(residual))
    try add(fusedOp, operands.0, operands.1, to: .value(fusedOp.output), descriptor)
    if let activation = fusedOp.epilogue.finalActivation {
      try elementwise(fusedOp, activation, .value(fusedOp.output), descriptor)
    }
  }
}
