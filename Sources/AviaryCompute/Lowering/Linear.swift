import CDNNL

extension Lowering {
  /// A product with a matrix over the last dimension.
  mutating func linear(_ unit: Unit, bias: Bool) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape, output = value(unit.output).shape
    guard let depth = input.last, let features = output.last else {
      preconditionFailure("the shape function has seen to it that there is a dimension")
    }
    // All dimensions but the last are rows of one matrix: values that are no pictures lie row-major.
    let rows = input.dropLast().reduce(1, *)
    var source = try MemoryDescriptor([rows, depth], .planar).raw
    var destination = try MemoryDescriptor([rows, features], .planar).raw
    var weights = try MemoryDescriptor.any([features, depth]).raw
    // A descriptor of nothing says that there is none.
    var summand = bias ? try MemoryDescriptor([features], .planar).raw : dnnl_memory_desc_t()
    var call = dnnl_inner_product_desc_t()
    try check(
      "dnnl_inner_product_forward_desc_init",
      unsafe dnnl_inner_product_forward_desc_init(
        &call, dnnl_forward_inference, &source, &weights, &summand, &destination))
    let descriptor = try PrimitiveDescriptor(
      call, PrimitiveAttributes.fusing([]), engine.handle)
    let matrix = unit.parameters[0]
    var arguments: [(Argument, Operand)] = [
      (.source, .value(unit.inputs[0])), (.destination, .value(unit.output)),
      (
        .weights,
        constant(
          Constant(
            key: Constant.Key(parameters: [matrix], form: .matrix),
            descriptor: descriptor.descriptor(.weights), shape: [features, depth],
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
              descriptor: descriptor.descriptor(.bias), shape: [features], parameter: name
            ) { weights throws(ComputeError) in try weights.values(name) })
        ))
    }
    primitive(unit, "linear", descriptor, arguments)
  }
}
