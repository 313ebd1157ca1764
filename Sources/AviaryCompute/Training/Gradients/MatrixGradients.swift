import CDNNL

extension Lowering {
  /// The way back through a linear layer to what it took.
  mutating func linearInputGradient(_ unit: Unit) throws(ComputeError) {
    var (source, destination) = try rows(of: unit.output, unit.inputs[0])
    let shape = [value(unit.inputs[0]).shape.last ?? 1, value(unit.output).shape.last ?? 1]
    var weights = try MemoryDescriptor.any(shape).raw
    var call = dnnl_inner_product_desc_t()
    try check(
      "dnnl_inner_product_backward_data_desc_init",
      unsafe dnnl_inner_product_backward_data_desc_init(&call, &source, &weights, &destination))
    let descriptor = try PrimitiveDescriptor(
      call, PrimitiveAttributes.fusing([]), engine.handle)
    let name = unit.parameters[0]
    let matrix = constant(
      Constant(
        key: Constant.Key(parameters: [name], form: .matrix),
        descriptor: descriptor.descriptor(.weights), shape: shape, parameter: name
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
    var (source, destination) = try rows(of: unit.inputs[0], unit.inputs[1])
    let shape = value(unit.output).shape
    var weights = try MemoryDescriptor.any(shape).raw
    var summand =
      unit.extraOutputs.isEmpty
      ? dnnl_memory_desc_t() : try MemoryDescriptor([shape[0]], .planar).raw
    var call = dnnl_inner_product_desc_t()
    try check(
      "dnnl_inner_product_backward_weights_desc_init",
      unsafe dnnl_inner_product_backward_weights_desc_init(
        &call, &source, &weights, &summand, &destination))
    let descriptor = try PrimitiveDescriptor(
      call, PrimitiveAttributes.fusing([]), engine.handle)
    let gives = try program.descriptor(unit.output)
    let given = descriptor.descriptor(.weightsGradient)
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
  ) throws(ComputeError) -> (dnnl_memory_desc_t, dnnl_memory_desc_t) {
    func matrix(_ number: Int) throws(ComputeError) -> dnnl_memory_desc_t {
      let shape = value(number).shape
      return try MemoryDescriptor([shape.dropLast().reduce(1, *), shape.last ?? 1], .planar).raw
    }
    return (try matrix(input), try matrix(result))
  }

  /// The way back through a softmax, by its result.
  mutating func softmaxGradient(_ unit: Unit, _ dimension: Int) throws(ComputeError) {
    var data = try program.descriptor(unit.output).raw
    var call = dnnl_softmax_desc_t()
    try check(
      "dnnl_softmax_backward_desc_init",
      unsafe dnnl_softmax_backward_desc_init(&call, &data, &data, Int32(dimension)))
    let descriptor = try PrimitiveDescriptor(
      call, PrimitiveAttributes.fusing([]), engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.destination, .value(unit.inputs[1])),
        (.sourceGradient, .value(unit.output)),
      ])
  }
}
