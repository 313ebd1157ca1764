import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// Products of matrices, normalisations and reductions.
extension ONNXReader {
  mutating func gemm() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard node.number("alpha") ?? 1 == 1, node.number("beta") ?? 1 == 1,
      node.integer("transA") ?? 0 == 0, rank(input) == 2
    else { throw unsupported("a plain product with a matrix of weights expected") }
    guard let weight = try parameter(1), weight.shape.count == 2 else {
      throw unsupported("a matrix of weights expected")
    }
    let bias = try parameter(2)
    return .value(
      try add(
        .linear(Linear(outFeatures: weight.shape[0], bias: bias != nil)), [input],
        name: layer(weight.name),
        parameters: [weight.name] + (bias.map { [$0.name] } ?? [])))
  }

  mutating func matmul() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    if case .value(let other) = try given(1) { return .value(try add(.matmul, [input, other])) }
    guard let weight = try parameter(1), weight.shape.count == 2 else {
      throw unsupported("a matrix of weights expected")
    }
    return .value(
      try add(
        .linear(Linear(outFeatures: weight.shape[0], bias: false)), [input],
        name: layer(weight.name),
        parameters: [weight.name]))
  }

  /// The addition behind a product of matrices as that layer's bias; nil for another addition.
  mutating func biased(_ value: Int, _ input: Int) throws(InterchangeError) -> Int? {
    let slot = ONNXParameters.Slot(node: position, input: input)
    guard node.kind == "Add", model.parameters.names[slot] != nil, let bias = try parameter(input),
      let source = source(value), case .linear(let linear) = source.op,
      !linear.bias, bias.shape == [linear.outFeatures]
    else { return nil }
    return try add(
      .linear(Linear(outFeatures: linear.outFeatures, bias: true)), source.inputs,
      name: "\(source.name).biased",
      parameters: source.parameters + [bias.name])
  }

  mutating func softmax() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    let dimension = try axis(node.integer("axis") ?? (version >= 13 ? -1 : 1), rank: rank)
    // Before version 13 all dimensions from the axis on were one.
    guard version >= 13 || dimension == rank - 1 else {
      throw unsupported("softmax over several dimensions")
    }
    return .value(try add(.softmax(Softmax(dimension: dimension)), [input]))
  }

  mutating func batchNormalization() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard node.integer("training_mode") ?? 0 == 0 else { throw unsupported("training_mode") }
    guard let weight = try parameter(1), let bias = try parameter(2),
      let mean = try parameter(3), let variance = try parameter(4)
    else { throw unsupported("four tensors of weights expected") }
    let stem = layer(weight.name) ?? weight.name
    // PyTorch counts the steps of training; nothing else does.
    let counter = "\(stem).num_batches_tracked"
    made[counter] = try? Tensor(zeros: [], elementType: .int64)
    return .value(
      try add(
        .batchNormalization(
          BatchNormalization(
            epsilon: node.number("epsilon") ?? 1e-5, momentum: 1 - (node.number("momentum") ?? 0.9))
        ), [input], name: layer(weight.name),
        parameters: [weight.name, bias.name, mean.name, variance.name, counter]))
  }

  mutating func layerNormalization() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    let dimensions = rank - (try axis(node.integer("axis") ?? -1, rank: rank))
    guard let weight = try parameter(1) else { throw unsupported("a weight expected") }
    var bias = try parameter(2)?.name
    if bias == nil {
      let name = "\(layer(weight.name) ?? weight.name).bias"
      made[name] = try? Tensor(zeros: weight.shape)
      bias = name
    }
    return .value(
      try add(
        .layerNormalization(
          LayerNormalization(dimensions: dimensions, epsilon: node.number("epsilon") ?? 1e-5)),
        [input], name: layer(weight.name), parameters: [weight.name] + [bias].compactMap { $0 }))
  }

  mutating func reduction() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    var dimensions: [Int] = []
    for axis in try integers(1, "axes") ?? [] { dimensions.append(try self.axis(axis, rank: rank)) }
    if dimensions.isEmpty {
      if node.integer("noop_with_empty_axes") ?? 0 != 0 { return .value(input) }
      dimensions = Array(0..<rank)
    }
    let kind: Reduction.Kind =
      switch node.kind {
      case "ReduceMean": .mean
      case "ReduceSum": .sum
      default: .maximum
      }
    let keeps = node.integer("keepdims") ?? 1 != 0
    // The mean of whole channels has an operation of its own, which runs everywhere.
    if kind == .mean, keeps, rank == 4, dimensions.sorted() == [2, 3] {
      return .value(try add(.globalAveragePool, [input]))
    }
    return .value(
      try add(
        .reduce(Reduction(kind, dimensions: dimensions.sorted(), keepsDimensions: keeps)), [input]))
  }
}
