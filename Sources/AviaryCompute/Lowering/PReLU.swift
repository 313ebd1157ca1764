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
