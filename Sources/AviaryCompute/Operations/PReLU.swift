import AviaryGraph

extension Lowering {
  /// x for x > 0, else a learned multiple of x.
  mutating func prelu(_ unit: Unit) throws(ComputeError) {
    try prelu(unit, unit.parameters[0], .value(unit.inputs[0]), to: .value(unit.output))
  }

  /// The same of any memory that lies as the unit's result.
  ///
  /// - Parameter slopes: the parameter that has them.
  mutating func prelu(
    _ unit: Unit, _ slopes: String, _ source: Operand, to destination: Operand
  ) throws(ComputeError) {
    let shape = value(unit.output).shape
    let descriptor = try preluDescriptor(unit, .inference)
    let weights = constant(
      slopeConstant(
        slopes, try descriptor.descriptor(.weights), slopeShape(shape), channels: shape[1]))
    primitive(
      unit, "prelu", descriptor,
      [(.source, source), (.weights, weights), (.destination, destination)])
  }

  /// How oneDNN goes forward through a PReLU.
  func preluDescriptor(
    _ unit: Unit, _ pass: PrimitiveDescriptor.Pass
  ) throws(ComputeError) -> PrimitiveDescriptor {
    // The slopes in the layout that oneDNN asks for: in another it falls back to reference code,
    // 300 times slower. As a post-operation of a convolution it does so in any case.
    try .prelu(
      program.descriptor(unit.output), slopes: .any(slopeShape(value(unit.output).shape)), pass,
      engine.handle)
  }

  /// One slope for all is repeated: that costs nothing, and all implementations know it.
  func slopeShape(_ shape: [Int]) -> [Int] {
    [1, shape[1]] + shape.dropFirst(2).map { _ in 1 }
  }

  /// A PReLU's slopes, so many times for each channel as fill the shape.
  func slopeConstant(
    _ name: String, _ descriptor: MemoryDescriptor, _ shape: [Int], channels: Int
  ) -> Constant {
    Constant(
      key: Constant.Key(parameters: [name], form: .slopes), descriptor: descriptor, shape: shape
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
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.prelu(unit)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.withParameters(unit, .by(PReLUGradient()), [gradient, unit.inputs[0]])
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  func overwritable(_ unit: Unit, _ program: Program) -> [Int] { [unit.inputs[0]] }
}

/// By what a PReLU took and, beside, by its slopes. Takes the result's gradient and what it took.
struct PReLUGradient: GradientKernel {
  var name: String { "prelu (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.preluGradient(unit)
  }
}

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
