import CDNNL

extension Lowering {
  /// x for x > 0, else a learned multiple of x.
  mutating func prelu(_ unit: Unit) throws(ComputeError) {
    let shape = value(unit.output).shape
    let channels = shape[1]
    // One slope for all is repeated: that costs nothing, and all implementations know it.
    let slopeShape = [1, channels] + shape.dropFirst(2).map { _ in 1 }
    // The slopes in the layout that oneDNN asks for: in another it falls back to reference code,
    // 300 times slower. As a post-operation of a convolution it does so in any case.
    var data = try program.descriptor(unit.output).raw
    var slopes = try MemoryDescriptor.any(slopeShape).raw
    var call = dnnl_prelu_desc_t()
    try check(
      "dnnl_prelu_forward_desc_init",
      unsafe dnnl_prelu_forward_desc_init(&call, dnnl_forward_inference, &data, &slopes))
    let descriptor = try PrimitiveDescriptor(
      call, PrimitiveAttributes.fusing([]), engine.handle)
    let weights = slopeConstant(unit, descriptor.descriptor(.weights), slopeShape)
    primitive(
      unit, "prelu", descriptor,
      [
        (.source, .value(unit.inputs[0])), (.weights, weights),
        (.destination, .value(unit.output)),
      ])
  }

  /// A unit's slopes, one for each channel.
  mutating func slopeConstant(
    _ unit: Unit, _ descriptor: MemoryDescriptor, _ shape: [Int]
  ) -> Operand {
    let name = unit.parameters[0], channels = shape[1]
    return constant(
      Constant(
        key: Constant.Key(parameters: [name], form: .slopes), descriptor: descriptor, shape: shape
      ) { weights throws(ComputeError) in
        let values = try weights.values(name)
        return values.count == channels
          ? values : [Float](repeating: values[0], count: channels)
      })
  }
}
