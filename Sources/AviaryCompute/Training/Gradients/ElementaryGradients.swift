import AviaryGraph

extension Differentiation {
  /// The operations that are no convolutions.
  mutating func elementary(_ unit: Unit, _ op: Op, _ gradient: Int) throws(ComputeError) {
    let input = unit.inputs[0]
    switch op {
    case .activation(let activation):
      let source = activation.gradientSource == .output ? unit.output : input
      pass(unit, .gradient(.activation(activation)), [gradient, source])
    case .maxPool(let operation): maxPool(unit, operation.window, gradient)
    case .averagePool(let operation):
      pass(
        unit, .gradient(.averagePool(operation.window, countsPadding: operation.countsPadding)),
        [gradient])
    case .globalAveragePool:
      spread(unit, Reduction(.mean, dimensions: [2, 3]), gradient)
    case .reduce(let reduction): spread(unit, reduction, gradient)
    case .binary(let operation): arithmetic(unit, operation, gradient)
    case .batchNormalization(let normalization):
      batchNormalization(unit, normalization, gradient)
    case .layerNormalization(let operation):
      withParameters(
        unit,
        .layerNormalization(dimensions: operation.dimensions, epsilon: operation.epsilon),
        [gradient, input])
    case .prelu(let operation):
      withParameters(unit, .prelu(perChannel: operation.perChannel), [gradient, input])
    case .linear: linear(unit, gradient)
    case .matmul: matmul(unit, gradient)
    case .softmax(let operation):
      pass(unit, .gradient(.softmax(dimension: operation.dimension)), [gradient, unit.output])
    case .convolution, .transposedConvolution, .scale, .offset, .expansion:
      preconditionFailure("\(op.name) has another form in a program")
    case .concatenate, .slice, .pixelShuffle, .pixelUnshuffle, .resize, .pad, .crop, .reshape,
      .permute, .roll, .dropout:
      rearrangement(unit, op, gradient)
    }
  }

  /// A scale or a shift per channel, by constants.
  mutating func affine(_ unit: Unit, _ gradient: Int) {
    let scales = unit.affine.filter { if case .scale = $0 { true } else { false } }
    guard !scales.isEmpty else {
      add(gradient, to: unit.inputs[0])
      return
    }
    let part = step(unit, .affine, [gradient], shape(gradient), affine: scales)
    add(part, to: unit.inputs[0])
  }

  /// Adds the step that gives the gradient by the unit's first input, if it is of use.
  mutating func pass(_ unit: Unit, _ work: Work, _ values: [Int]) {
    let input = unit.inputs[0]
    guard isWanted(input) else { return }
    add(step(unit, work, values, shape(input)), to: input)
  }

  /// Adds a step that gives the gradients by the unit's input and by the first of its parameters.
  mutating func withParameters(
    _ unit: Unit, _ gradient: Gradient, _ values: [Int], parameters: [String]? = nil
  ) {
    let input = unit.inputs[0]
    let parameters = parameters ?? unit.parameters
    guard isWanted(input) || parameters.contains(where: isLearned) else { return }
    let sums = parameters.map { newValue(parameterShape($0)) }
    let part = step(
      unit, .gradient(gradient), values, shape(input), parameters: unit.parameters,
      extraOutputs: sums)
    add(part, to: input)
    for (name, sum) in zip(parameters, sums) { add(sum, toParameter: name) }
  }

  private mutating func batchNormalization(
    _ unit: Unit, _ normalization: BatchNormalization, _ gradient: Int
  ) {
    withParameters(
      unit, .batchNormalization(normalization),
      [gradient, unit.inputs[0]] + unit.extraOutputs.prefix(2),
      parameters: normalization.learned(of: unit.parameters))
  }

  private mutating func linear(_ unit: Unit, _ gradient: Int) {
    let input = unit.inputs[0], names = unit.parameters
    if isWanted(input) {
      let part = step(
        unit, .gradient(.linearInput), [gradient], shape(input), parameters: [names[0]])
      add(part, to: input)
    }
    guard names.contains(where: isLearned) else { return }
    let sums = names.dropFirst().map { newValue(parameterShape($0)) }
    let part = step(
      unit, .gradient(.linearWeights), [input, gradient], parameterShape(names[0]),
      extraOutputs: sums)
    add(part, toParameter: names[0])
    for (name, sum) in zip(names.dropFirst(), sums) { add(sum, toParameter: name) }
  }

  private mutating func matmul(_ unit: Unit, _ gradient: Int) {
    let (a, b) = (unit.inputs[0], unit.inputs[1])
    // Outer dimensions are those of the result; where an operand repeats, its gradient is a sum.
    let outer = shape(unit.output).dropLast(2)
    if isWanted(a) {
      let whole = step(
        unit, .gradient(.matmulFirst), [gradient, b], outer + shape(a).suffix(2))
      addSum(of: whole, unit, to: a)
    }
    if isWanted(b) {
      let whole = step(
        unit, .gradient(.matmulSecond), [a, gradient], outer + shape(b).suffix(2))
      addSum(of: whole, unit, to: b)
    }
  }

  private mutating func arithmetic(_ unit: Unit, _ op: Binary, _ gradient: Int) {
    let (a, b) = (unit.inputs[0], unit.inputs[1])
    guard op == .multiply else {
      addSum(of: gradient, unit, to: a)
      guard isWanted(b) else { return }
      addSum(of: gradient, unit, to: b, isNegative: op == .subtract)
      return
    }
    // Of a square both are the same value, which then gets both parts: 2x.
    for (input, other) in [(a, b), (b, a)] where isWanted(input) {
      if shape(input) == shape(gradient) {
        let part = step(unit, .other(.binary(.multiply)), [gradient, other], shape(gradient))
        add(part, to: input)
      } else {
        let part = step(
          unit, .gradient(.repetition), [gradient, other], shape(input))
        add(part, to: input)
      }
    }
  }

  /// Says that a value, or what it sums to where the operand repeats, is part of the operand's
  /// gradient.
  private mutating func addSum(
    of value: Int, _ unit: Unit, to operand: Int, isNegative: Bool = false
  ) {
    guard isWanted(operand) else { return }
    let size = shape(operand)
    var part = value
    if shape(part) != size { part = step(unit, .gradient(.repetition), [part], size) }
    if isNegative { part = step(unit, .affine, [part], size, affine: [.scale([-1])]) }
    add(part, to: operand)
  }

  private mutating func spread(_ unit: Unit, _ reduction: Reduction, _ gradient: Int) {
    let input = unit.inputs[0], dimensions = reduction.dimensions
    switch reduction.kind {
    case .maximum:
      pass(
        unit, .gradient(.maximum(dimensions: dimensions)), [gradient, input, unit.output])
    case .sum: pass(unit, .gradient(.spread(dimensions: dimensions, factor: 1)), [gradient])
    case .mean:
      let count = Set(dimensions).reduce(1) { $0 * shape(input)[$1] }
      pass(
        unit, .gradient(.spread(dimensions: dimensions, factor: 1 / Double(count))), [gradient])
    }
  }
}
