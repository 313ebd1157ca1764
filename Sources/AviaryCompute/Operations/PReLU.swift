import AviaryGraph

extension Lowering {
  /// x for x > 0, else a learned multiple of x.
  mutating func prelu(_ fusedOp: FusedOp) throws(ComputeError) {
    try prelu(fusedOp, fusedOp.parameters[0], .value(fusedOp.inputs[0]), to: .value(fusedOp.output))
  }

  /// The same of any memory that lies as the fused op's result.
  ///
  /// - Parameter slopes: the parameter that has them.
  mutating func prelu(
    _ fusedOp: FusedOp, _ slopes: String, _ source: Operand, to destination: Operand
  ) throws(ComputeError) {
    let shape = value(fusedOp.output).shape
    let descriptor = try preluDescriptor(fusedOp, .inference)
    let weights = constant(
      slopeConstant(
        slopes, try descriptor.descriptor(.weights), slopeShape(shape), channels: shape[1]))
    primitive(
      fusedOp, "prelu", descriptor,
      [(.source, source), (.weights, weights), (.destination, destination)])
  }

  /// How oneDNN goes forward through a PReLU.
  func preluDescriptor(
    _ fusedOp: FusedOp, _ pass: PrimitiveDescriptor.Pass
  ) throws(ComputeError) -> PrimitiveDescriptor {
    // The slopes in the memory format that oneDNN asks for: in another it falls back to reference
    // code, 300 times slower. As a post-operation of a convolution it does so in any case.
    try .prelu(
      ir.descriptor(fusedOp.output), slopes: .any(slopeShape(value(fusedOp.output).shape)), pass,
      engine.handle)
  }

  /// One slope for all is repeated: that costs nothing, and all implementations know it.
  func slopeShape(_ shape: [Int]) -> [Int] {
    [1, shape[1]] + shape.dropFirst(2).map { _ in 1 }
  }

  /// A PReLU's slopes, so many times for each channel as fill the shape.
  func slopeConstant(
    _ name: String, _ descriptor: MemoryDescriptor, _ shape: [Int], channels: Int
  ) -> PackedConstant {
    PackedConstant(
      key: PackedConstant.Key(parameters: [name], packing: .slopes), descriptor: descriptor,
      shape: shape
    ) { weights throws(ComputeError) in
      let values = try weights.values(name)
      let times = shape.reduce(1, *) / channels
      return (0..<channels).flatMap { channel in
        [Float](repeating: values[values.count == channels ? channel : 0], count: times)
      }
    }
  }
}

extension PReLU: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.prelu(fusedOp)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.withParameters(fusedOp, .by(PReLUGradient()), [gradient, fusedOp.inputs[0]])
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { [fusedOp.inputs[0]] }
}

/// By what a PReLU took and, beside, by its slopes. Takes the result's gradient and what it took.
struct PReLUGradient: GradientKernel {
  var name: String { "prelu (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.preluGradient(fusedOp)
  }
}

extension Lowering {
  /// The backward pass through a PReLU, to what it took and to its slopes.
  mutating func preluGradient(_ fusedOp: FusedOp) throws(ComputeError) {
    let shape = value(fusedOp.output).shape
    let channels = shape[1]
    let slopeShape = slopeShape(shape)
    let backward = try PrimitiveDescriptor.preluGradient(
      ir.descriptor(fusedOp.output), slopes: .any(slopeShape),
      after: preluDescriptor(fusedOp, .training), engine.handle)
    // oneDNN chooses how slopes lie: their gradient is copied out of that, as gradients are
    // row-major.
    let given = try backward.descriptor(.weightsGradient)
    let sums = temporary(byteCount: given.byteCount)
    let weights = constant(
      slopeConstant(
        fusedOp.parameters[0], try backward.descriptor(.weights), slopeShape, channels: channels))
    primitive(
      fusedOp, fusedOp.kind.name, backward,
      [
        (.source, .value(fusedOp.inputs[1])), (.weights, weights),
        (.destinationGradient, .value(fusedOp.inputs[0])),
        (.sourceGradient, .value(fusedOp.output)),
        (.weightsGradient, sums),
      ])
    let result = Operand.value(fusedOp.extraOutputs[0])
    let plain = try MemoryDescriptor(slopeShape, .nchw)
    guard value(fusedOp.extraOutputs[0]).count != channels else {
      try copy(fusedOp, sums, given, to: result, plain)
      return
    }
    // One slope for all has been repeated for every channel.
    let ordered = temporary(byteCount: plain.byteCount)
    try copy(fusedOp, sums, given, to: ordered, plain)
    kernel(fusedOp, "sum of channels", [ordered, result]) { memory, _ in
      var sum = 0.0
      for channel in 0..<channels { unsafe sum += Double(memory[0][channel]) }
      unsafe memory[1][0] = Float(sum)
    }
  }
}
