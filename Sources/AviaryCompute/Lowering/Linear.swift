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
